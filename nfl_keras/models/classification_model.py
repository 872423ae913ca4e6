"""The recipe of plain classification, for comparison."""

from collections.abc import Sequence
from typing import Any

import keras

from nfl_keras.losses import noisy_classification
from nfl_keras.losses.noisy_classification import check_label_smoothing
from nfl_keras.models.classifier import Classifier
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.term import Term
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class ClassificationModel(Learner):
    """Learning by the cross-entropy of a softmax head alone, with label smoothing.

    The head sees the embedding behind the embedder's neck, before it is scaled to unit length.
    Give the embedder `pooling="gem"`, too, as the reference has it.

    fast-reid's FastRetri, the reference, has pooled features of 2,048 numbers without a
    projection, which `embedding_dim=None` gives, and a head without bias.

    Compile it with an optimizer alone and train it by `fit` with integer labels. `fit` reports
    `loss`, and the same as `L_softmax`.

    Args:
        embedder: `nfl.models.Embedder` with `neck=True`.
        num_classes: int, classes that are trained on.
        label_smoothing: float φ in `[0, 1)`. The target is 1 - φ on the true class and φ / (K - 1)
            on each other class, as in fast-reid. (Keras spreads φ / K over all K.) Defaults to
            `0.3`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if a setting is out of its range, or the embedder has no neck.

    Example:

    >>> pixels = keras.Input((None, None, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(8, 3)(pixels))
    >>> embedder = nfl.models.Embedder(backbone, 4, image_size=16, pooling="gem", neck=True)
    >>> model = nfl.models.ClassificationModel(embedder, num_classes=2)
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> images, labels = np.zeros((4, 16, 16, 3), "float32"), np.array([0, 0, 1, 1])
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['L_softmax', 'loss']

    Reference: He et al., FastReID: a PyTorch toolbox for general instance re-identification, 2020
    (arXiv 2006.02631), project FastRetri; Luo et al., Bag of tricks and a strong baseline for deep
    person re-identification, CVPR workshops 2019.
    """

    needs_neck = True

    def __init__(
        self,
        embedder: Embedder,
        num_classes: int,
        label_smoothing: float = 0.3,
        class_labels: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.check_settings(label_smoothing=label_smoothing)
        super().__init__(embedder, [Term("L_softmax", 1.0, self._softmax)], **kwargs)
        # === Layers ===
        labels = self.expect_labels(num_classes, class_labels)
        self.classifier = Classifier(embedder.output_shape[-1], labels, name="classifier")

        # === Config ===
        self.num_classes = num_classes
        self.label_smoothing = label_smoothing

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        check_label_smoothing(settings["label_smoothing"])

    def logits(self, features: Tensor) -> Tensor:
        return self.head()(self.embedder.projected(features))

    def _softmax(self, outputs: Outputs) -> Tensor:
        logits = self.head()(outputs.projected["clean"])
        targets = self.head().targets(outputs.labels)
        return noisy_classification(logits, targets, self.label_smoothing)
