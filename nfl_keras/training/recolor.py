"""The color change of training views, from a run's settings."""

from nfl_keras.data import ColorJitter
from nfl_keras.layers import WhiteBalanceEmulation


def build_recolor(config):
    """What `balanced_batches` does to the colors of a view.

    Args:
        config: `TrainConfig`.

    Returns:
        `(recolor, words)`: a function from an image and a seed to an image, or `None`; and
        which it is, in one line for logs.

    Raises:
        UserError: if the white-balance parameters cannot be used.
    """
    if config.data.color == "none":
        return None, "colors of training views: as they are"
    if config.data.color == "jitter":
        change = ColorJitter()
    else:
        change = WhiteBalanceEmulation(config.data.white_balance_parameters)
    return change.recolor, change.describe()
