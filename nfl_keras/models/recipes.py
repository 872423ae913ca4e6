"""The recipes that a run can name, and how a run finds one."""

import importlib
import sys

from nfl_keras.errors import UserError
from nfl_keras.models.classification_model import ClassificationModel
from nfl_keras.models.learner import Learner
from nfl_keras.models.noise_assisted_model import NoiseAssistedModel
from nfl_keras.models.noise_invariant_model import NoiseInvariantModel
from nfl_keras.models.pair_loss_model import PairLossModel
from nfl_keras.models.proxy_model import ProxyModel

RECIPES: dict[str, type[Learner]] = {
    "noise-invariant": NoiseInvariantModel,
    "noise-assisted": NoiseAssistedModel,
    "pair-loss": PairLossModel,
    "proxy": ProxyModel,
    "classification": ClassificationModel,
}


def find_recipe(name: str) -> type[Learner]:
    """Returns the class of a recipe, and imports nothing.

    Args:
        name: str. A key of `RECIPES`, or `"package.module.Class"` of a module that this process
            has imported already (see `import_recipe`).

    Returns:
        A subclass of `Learner`.

    Raises:
        UserError: if there is no such recipe, or its module has not been imported.
    """
    if name in RECIPES:
        return RECIPES[name]
    module, _, class_name = str(name).rpartition(".")
    if not module:
        raise UserError(
            f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}, or name a subclass "
            f"of nfl_keras.models.Learner as package.module.Class."
        )
    if module not in sys.modules:
        raise UserError(
            f"the recipe {name} is code from outside nfl_keras, and no file may have it run; if "
            f"you trust it, add --recipe {name} to this command."
        )
    found = getattr(sys.modules[module], class_name, None)
    if not (isinstance(found, type) and issubclass(found, Learner)):
        raise UserError(f"the recipe {name} is not a subclass of nfl_keras.models.Learner.")
    return found


def import_recipe(name: str) -> type[Learner]:
    """Returns the class of a recipe, and imports its module where that lies outside nfl_keras.

    This runs the module's code: call it only with a name that the user typed.

    Args:
        name: str, as for `find_recipe`.

    Returns:
        A subclass of `Learner`.

    Raises:
        UserError: if there is no such recipe, or its module cannot be imported.
    """
    module = name.rpartition(".")[0]
    if module and name not in RECIPES:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(
                f"cannot import {module!r} for the recipe {name} ({error}); run the command where "
                f"Python finds it, such as with PYTHONPATH=FOLDER."
            ) from error
    return find_recipe(name)
