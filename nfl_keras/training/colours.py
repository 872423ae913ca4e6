"""The colour change of training views, from a run's settings."""

from nfl_keras.data import ColourJitter
from nfl_keras.layers import WhiteBalanceEmulation


def build_recolour(config):
    """What `balanced_batches` does to the colours of a view.

    Args:
        config: `TrainConfig`.

    Returns:
        `(recolour, words)`: a function from an image and a seed to an image, or `None`; and
        which it is, in one line for logs.

    Raises:
        UserError: if the white-balance parameters cannot be used.
    """
    if config.colour == "none":
        return None, "colours of training views: as they are"
    if config.colour == "jitter":
        change = ColourJitter()
    else:
        change = WhiteBalanceEmulation(config.white_balance_parameters)
    return change.recolour, change.describe()
