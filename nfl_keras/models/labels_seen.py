"""Defines what a step remembers of its labels, and when that is looked at."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# JAX has no int64 unless it is asked for, and Keras' operations under PyTorch turn it into int32.
LABEL_DTYPE = "int64" if keras.config.backend() == "tensorflow" else "int32"
_LEAST = np.iinfo(LABEL_DTYPE).min
_NAMED = 8


@keras.saving.register_keras_serializable(package="nfl_keras")
class LabelsSeen(keras.metrics.Metric):
    """A metric that reports nothing, and remembers which labels were seen since its reset.

    A step cannot raise an error in a graph under JAX or in one that XLA compiles. It keeps the
    lowest and the highest label, and the highest of those that no class has.

    Args:
        class_labels: ints, ascending, the labels of the classes that are trained on.
        name: str. Defaults to `"labels_seen"`.
    """

    def __init__(self, class_labels: Sequence[int], name: str = "labels_seen") -> None:
        super().__init__(name=name)
        self.class_labels = tuple(class_labels)
        # The negative of the lowest, so that all three are maxima.
        self.extremes = self.add_variable(
            (3,),
            lambda shape, dtype: ops.full(shape, _LEAST, dtype),
            dtype=LABEL_DTYPE,
            aggregation="only_first_replica",
            name="extremes",
        )

    def update_state(self, labels: Tensor, is_known: Tensor) -> None:
        """Adds the labels of a batch.

        Args:
            labels: integer `[B]`.
            is_known: bool `[B]`, whether a class has the label.
        """
        labels = ops.cast(labels, LABEL_DTYPE)
        strange = ops.where(is_known, ops.full_like(labels, _LEAST), labels)
        extremes = ops.max(ops.stack([-labels, labels, strange]), axis=1)
        self.extremes.assign(ops.maximum(self.extremes, extremes))

    def result(self) -> dict[str, Tensor]:
        return {}

    def reset_state(self) -> None:
        self.extremes.assign(ops.full((3,), _LEAST, LABEL_DTYPE))

    def check(self) -> None:
        """Raises `UserError` if a label was seen that no class has, and forgets it."""
        lowest, highest, strange = ops.convert_to_numpy(self.extremes).tolist()
        if strange != _LEAST:
            self.reset_state()
            raise unknown_label(-lowest, highest, strange, self.class_labels)

    def get_config(self) -> dict[str, Any]:
        return {"class_labels": self.class_labels, "name": self.name}


class CheckLabels(keras.callbacks.Callback):
    """A callback that ends `fit` and `evaluate` with a `UserError` for a label of no class.

    It looks after the first batch and after each epoch, for which `fit` waits anyway.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.looked = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch and not self.looked:
            self._look()
            self.looked = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._look()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        # A validation resets all metrics before the epoch that it belongs to ends.
        self._look()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._look()

    def _look(self) -> None:
        if keras.config.backend() == "jax":
            self.model.jax_state_sync()
        self.model.labels_seen.check()


def unknown_label(
    lowest: int, highest: int, strange: int, class_labels: Sequence[int]
) -> UserError:
    """Makes the error for labels from `lowest` to `highest`, of which `strange` has no class."""
    count, known = len(class_labels), ", ".join(map(str, class_labels[:_NAMED]))
    if class_labels[-1] - class_labels[0] == count - 1:
        known = f"{class_labels[0]} to {class_labels[-1]}"
    elif count > _NAMED:
        known += f", ... {class_labels[-1]}"
    return UserError(
        f"the labels run from {lowest} to {highest}, and {strange} is the label of no class: the "
        f"model expects the labels of its {count} classes, {known}; renumber the labels, such as "
        f"by np.unique(labels, return_inverse=True)[1], or make the model with class_labels."
    )
