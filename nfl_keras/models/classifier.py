"""The softmax head of a recipe."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nfl_keras.layers import UnitFeatureNoise
from nfl_keras.models.class_labels import ascending_labels, label_positions, label_targets
from nfl_keras.typing import Tensor


class Classifier(keras.layers.Layer):
    """A Dense layer from pooled features to one logit per class that is trained on.

    Labels have the numbers of the dataset, also where only some of its classes are trained on. The
    layer keeps which label each logit stands for.

    Args:
        feature_dim: int C, dimension of the features.
        class_labels: ints `[K]`, ascending. Logit k stands for the label `class_labels[k]`.
        normalize: bool, whether features are first brought to mean 0 and variance 1 each, by a
            LayerNorm without affine. Defaults to `False`.
        noise: `nfl.layers.UnitFeatureNoise` between the normalization and the Dense layer, in
            training alone, or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        features: float `[B, C]`.
        training: bool.

    Returns:
        Logits `[B, K]`, in the compute dtype.

    Raises:
        UserError: if the labels are not ascending integers.

    Example:

    >>> classifier = nfl.models.Classifier(feature_dim=8, class_labels=[3, 5, 9])
    >>> classifier.positions(np.array([9, 3])).numpy()
    array([2, 0], dtype=int32)
    >>> tuple(classifier(np.zeros((2, 8), "float32")).shape)
    (2, 3)
    """

    def __init__(
        self,
        feature_dim: int,
        class_labels: Sequence[int] | np.ndarray,
        normalize: bool = False,
        noise: UnitFeatureNoise | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.class_labels = ascending_labels(class_labels)
        self.normalization = None
        if normalize:
            self.normalization = keras.layers.LayerNormalization(center=False, scale=False)
            self.normalization.build((None, feature_dim))
        self.noise = noise
        self.dense = keras.layers.Dense(
            len(self.class_labels), kernel_initializer="he_normal", name="dense"
        )
        self.dense.build((None, feature_dim))
        self.built = True

    def call(self, features: Tensor, training: bool = False) -> Tensor:
        if self.normalization is not None:
            features = self.normalization(features)
        if self.noise is not None:
            features = self.noise(features, training=training)
        return self.dense(features)

    def positions(self, labels: Tensor) -> Tensor:
        """Returns the position of each label among the logits.

        Args:
            labels: integer `[B]`.

        Returns:
            int32 `[B]`. The position is K for a label that is not in `class_labels`.
        """
        return label_positions(labels, self.class_labels)

    def targets(self, labels: Tensor) -> Tensor:
        """Returns the position of each label among the logits, as losses take them.

        Args:
            labels: integer `[B]`.

        Returns:
            int32 `[B]`, in `0 .. K - 1`. A label that is not in `class_labels` has the last
            position, since backends differ in what a position beyond it does. `fit` refuses it.
        """
        return label_targets(labels, self.class_labels)

    def cross_entropy(self, features: Tensor, labels: Tensor) -> Tensor:
        """Computes the cross-entropy of each image.

        Args:
            features: float `[B, C]`.
            labels: integer `[B]`, labels of the dataset.

        Returns:
            float32 `[B]`.
        """
        logits = ops.cast(self(features), "float32")
        return keras.losses.sparse_categorical_crossentropy(
            self.targets(labels), logits, from_logits=True
        )

    def is_right(self, features: Tensor, labels: Tensor) -> Tensor:
        """Tells whether the largest logit belongs to the image's label.

        Args:
            features: float `[B, C]`.
            labels: integer `[B]`, labels of the dataset.

        Returns:
            float32 `[B]`, 1 where it is and 0 elsewhere.
        """
        predicted = ops.cast(ops.argmax(self(features), axis=-1), "int32")
        return ops.cast(ops.equal(predicted, self.positions(labels)), "float32")
