"""Pretext tasks: questions about an image that need no label."""

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.classification_task import ClassificationTask
from nfl_keras.models.pretext.exemplar import Exemplar
from nfl_keras.models.pretext.jigsaw import Jigsaw
from nfl_keras.models.pretext.pretext_task import PretextTask
from nfl_keras.models.pretext.rotation import Rotation

TASKS = {"rotation": Rotation, "exemplar": Exemplar, "jigsaw": Jigsaw}


def make_pretext_task(name_or_task: str | PretextTask, seed: int | None = None) -> PretextTask:
    """Makes the pretext task of a name, and returns a task as it is.

    Args:
        name_or_task: `"rotation"`, `"exemplar"`, `"jigsaw"` or a `PretextTask`.
        seed: int or `None`, seed of a task that is made here. Defaults to `None`.

    Returns:
        `PretextTask`.

    Raises:
        UserError: if there is no task of that name.
    """
    if isinstance(name_or_task, PretextTask):
        return name_or_task
    if name_or_task not in TASKS:
        raise UserError(
            f"there is no pretext task {name_or_task!r}; choose one of {', '.join(TASKS)}, or give "
            f"an object of nfl.models.pretext.PretextTask."
        )
    return TASKS[name_or_task](seed=seed)


__all__ = [
    "TASKS",
    "ClassificationTask",
    "Exemplar",
    "Jigsaw",
    "PretextTask",
    "Rotation",
    "make_pretext_task",
]
