"""Defines how a model that a run saved is loaded."""

import pathlib

import keras

from nfl_keras.errors import UserError
from nfl_keras.models import Learner


def load_learner(path: pathlib.Path, recipe: type[Learner] | None = None) -> Learner:
    """Loads a model that a run saved. No code from the file runs.

    Args:
        path: `pathlib.Path` of a `.keras` file.
        recipe: subclass of `Learner`, the class of the run's recipe. Defaults to `None`, which
            loads classes that are registered with Keras, such as all of nfl_keras'.

    Returns:
        A `Learner`, not compiled.

    Raises:
        UserError: if there is no such file, or it does not hold a `Learner`.
    """
    if not path.is_file():
        raise UserError(f"there is no {str(path)!r}: the run did not get so far.")
    custom_objects = {} if recipe is None else {recipe.__name__: recipe}
    try:
        model = keras.saving.load_model(
            path, custom_objects=custom_objects, compile=False, safe_mode=True
        )
    except (ValueError, TypeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"cannot load {str(path)!r} ({reason}).") from error
    if not isinstance(model, Learner):
        raise UserError(f"{str(path)!r} holds a {type(model).__name__}, not a run's model.")
    return model
