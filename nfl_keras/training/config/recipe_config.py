"""Settings of how the embedder is taught."""

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from nfl_keras.models import Embedder, Learner
from nfl_keras.models.recipes import find_recipe
from nfl_keras.training.config.setting import settings_of_recipe


@dataclasses.dataclass(frozen=True)
class RecipeConfig:
    """A recipe and its settings, which are the arguments of its class.

    Args:
        name: "noise-invariant", the first paper's L_D, L_N and L_S; "noise-assisted", the second
            paper's L_inter, L_intra and L_pretext; "pair-loss", "proxy" and "classification", the
            losses of other papers to compare them with; or package.module.Class, a subclass of
            nfl_keras.models.Learner of your own, which this command imports then.
        settings: Arguments of the class by name. Arguments left out keep their defaults.

    Raises:
        UserError: if there is no such recipe, or it does not take the settings.
    """

    name: str = "noise-invariant"
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        defaults = {s.key: s.default for s in settings_of_recipe(self.learner)}
        object.__setattr__(self, "settings", {**defaults, **self.settings})
        self.learner.check_settings(**self.settings)

    @property
    def learner(self) -> type[Learner]:
        """The class of the recipe."""
        return find_recipe(self.name)

    def build(self, embedder: Embedder, class_labels: Sequence[int], seed: int) -> Learner:
        """Builds the recipe's model, not yet compiled.

        Args:
            embedder: `Embedder`.
            class_labels: ints, ascending, the labels of the classes that are trained on.
            seed: int, of the recipe's random layers.

        Returns:
            A `Learner`.

        Raises:
            UserError: if a setting is out of its range.
        """
        takes = inspect.signature(self.learner.__init__).parameters
        given = {
            "num_classes": len(class_labels),
            "class_labels": [int(label) for label in class_labels],
            "seed": seed,
        }
        of_run: dict[str, Any] = {name: given[name] for name in given if name in takes}
        return self.learner(embedder, **of_run, **self.settings)
