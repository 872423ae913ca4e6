"""The model that a run saved."""

import keras

from nfl_keras.errors import UserError
from nfl_keras.models import Learner


def load_learner(path):
    """Loads a checkpoint of a run.

    Args:
        path: `pathlib.Path` of a `.keras` file.

    Returns:
        A `nfl_keras.models.Learner`, not compiled.

    Raises:
        UserError: if there is none, or it is not one of a run.
    """
    if not path.is_file():
        raise UserError(f"there is no {str(path)!r}: the run did not get so far.")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"cannot load {str(path)!r} ({reason}).") from error
    if not isinstance(model, Learner):
        raise UserError(f"{str(path)!r} holds a {type(model).__name__}, not a run's model.")
    return model
