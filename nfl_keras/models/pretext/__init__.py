"""Pretext tasks: what a network can be asked about an image without a label."""

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.exemplar import Exemplar
from nfl_keras.models.pretext.jigsaw import Jigsaw
from nfl_keras.models.pretext.rotation import Rotation
from nfl_keras.models.pretext.task import ClassificationTask, PretextTask

TASKS = {"rotation": Rotation, "exemplar": Exemplar, "jigsaw": Jigsaw}


def pretext_task(name_or_task: str | PretextTask, seed: int | None = None) -> PretextTask:
    """The pretext task of a name, or the one that is given.

    Args:
        name_or_task: `"rotation"`, `"exemplar"`, `"jigsaw"` or a `PretextTask`.
        seed: int or `None`, of a task that is made here. Defaults to `None`.

    Returns:
        `PretextTask`.

    Raises:
        UserError: if there is no task of that name.
    """
    if isinstance(name_or_task, PretextTask):
        return name_or_task
    if name_or_task not in TASKS:
        raise UserError(
            f"there is no pretext task {name_or_task!r}; choose of {', '.join(TASKS)}, or give "
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
    "pretext_task",
]
