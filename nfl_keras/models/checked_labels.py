"""Defines the check of labels before a model learns from them."""

import re
import types
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.class_labels import ascending_labels
from nfl_keras.models.labels_seen import CheckLabels, LabelsSeen, unknown_label
from nfl_keras.typing import ModelMixin


class CheckedLabels(ModelMixin):
    """A mixin with which `fit` and `evaluate` refuse labels that no class of the model has.

    Arrays are checked before the first step. Of datasets and generators the step remembers the
    extreme labels, see `LabelsSeen`. A model without `labels_seen` takes any integers.
    """

    labels_seen: LabelsSeen | None = None
    class_labels: list[int] | None = None

    def expect_labels(
        self, num_classes: int | None, class_labels: Sequence[int] | None = None
    ) -> list[int]:
        """Sets the labels of the classes that are trained on, so that `fit` refuses others.

        Args:
            num_classes: int, classes that are trained on.
            class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults
                to `range(num_classes)`.

        Returns:
            The labels, ascending.

        Raises:
            UserError: if the number of classes is missing, or `class_labels` does not fit it.
        """
        if not num_classes:
            raise UserError("a model that learns its classes needs num_classes, too.")
        labels = range(num_classes) if class_labels is None else class_labels
        if len(labels) != num_classes:
            raise UserError(
                f"class_labels has {len(labels)} labels for num_classes={num_classes}; give one "
                f"label per class."
            )
        self.class_labels = list(ascending_labels(labels))
        self.labels_seen = LabelsSeen(self.class_labels)
        return self.class_labels

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        x = self._checked_source(x, y)
        callbacks = self._with_check(callbacks)
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        given = (self._checked_source(x, y), y, batch_size, verbose, sample_weight, steps)
        return super().evaluate(*given, self._with_check(callbacks), *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._check_array(y)
        return super().train_on_batch(x, y, *args, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._check_array(y)
        return super().test_on_batch(x, y, *args, **kwargs)

    def _checked_source(self, x: Any, y: Any) -> Any:
        """Checks all labels of arrays, and of batches what the first tells. Returns the source."""
        self._check_array(y)
        batch = None
        if isinstance(x, types.GeneratorType):
            batch = next(x, None)
            x = x if batch is None else _all_of(batch, x)
        elif isinstance(x, keras.utils.PyDataset):
            batch = x[0]
        elif y is None:
            batch = getattr(x, "element_spec", None)
        if isinstance(batch, tuple) and len(batch) > 1 and hasattr(batch[1], "dtype"):
            check_labels(batch[1])
        return x

    def _check_array(self, labels: Any) -> None:
        if labels is None:
            return
        check_labels(labels)
        labels = ops.convert_to_numpy(labels) if ops.is_tensor(labels) else np.asarray(labels)
        if self.labels_seen is None or not labels.size:
            return
        class_labels = self.labels_seen.class_labels
        strange = labels[~np.isin(labels, class_labels)]
        if strange.size:
            raise unknown_label(labels.min(), labels.max(), strange.max(), class_labels)

    def _with_check(self, callbacks: Any) -> Any:
        if self.labels_seen is None:
            return callbacks
        check = CheckLabels()
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            # First, so that no other callback saves what was learned from wrong labels.
            return [check, *(keras.tree.flatten(callbacks) if callbacks else [])]
        if not any(isinstance(callback, CheckLabels) for callback in callbacks.callbacks):
            check.set_model(self)
            callbacks.callbacks.insert(0, check)
        return callbacks


def _all_of(first: Any, others: Iterator) -> Iterator:
    yield first
    yield from others


def check_labels(labels: Any) -> None:
    """Raises `UserError` unless labels have the dtype and the shape of class ids.

    Args:
        labels: array or tensor, also a symbolic one.
    """
    expected = "one integer per image, [B] or [B, 1], is expected"
    if labels is None:
        raise UserError(f"there are no labels, but {expected}; give fit images and labels.")
    if not hasattr(labels, "dtype"):
        raise UserError(
            f"the labels are a {type(labels).__name__}, but an array of {expected}; give "
            f"np.array(labels)."
        )
    dtype = getattr(labels.dtype, "name", str(labels.dtype)).removeprefix("torch.")
    # TensorFlow may trace a step for labels of any rank, once it has seen both of the good ones.
    shape = [] if getattr(labels.shape, "rank", 1) is None else list(labels.shape)
    if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        raise UserError(
            f"the labels have the shape {shape}, but {expected}; of one-hot labels take "
            f"np.argmax(labels, axis=1)."
        )
    if not re.fullmatch(r"u?int\d+", dtype):
        raise UserError(
            f"the labels have the dtype {dtype}, but {expected}; number them, such as by "
            f"np.unique(labels, return_inverse=True)[1]."
        )
