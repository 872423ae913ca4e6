"""The recipe of plain classification, for comparison."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import noisy_classification, stop_gradient_softmax
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

    `lambda_sgsl=1.0` and `label_smoothing=0.4` add SGSL, the stop-gradient softmax loss between
    unit embeddings and the kernel of the head. A batch whose mean cross-entropy is above
    `sgsl_below` is without it, so that the head learns first. More classes need less smoothing,
    which alone keeps the cross-entropy high: the authors have 0.1 for the 11,318 of SOP. SGSL's
    paper also takes the last BatchNormalization and ReLU out of its ResNet-50: give the embedder
    such a backbone for that.

    Compile it with an optimizer alone and train it by `fit` with integer labels. `fit` reports
    `loss` and unweighted `L_softmax`, with `lambda_sgsl` also `L_sgsl`.

    Args:
        embedder: `nfl.models.Embedder` with `neck=True`.
        num_classes: int, classes that are trained on.
        label_smoothing: float φ in `[0, 1)`. The target is 1 - φ on the true class and φ / (K - 1)
            on each other class, as in fast-reid. (Keras spreads φ / K over all K.) Defaults to
            `0.3`.
        lambda_sgsl: float >= 0, weight of the stop-gradient softmax loss. Defaults to `0.0`.
        sgsl_below: float, the mean cross-entropy up to which a batch has that loss. Defaults to
            `3.0`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if a setting is out of its range, the embedder has no neck, or no cross-entropy
            with such smoothing is as low as `sgsl_below`.

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
    person re-identification, CVPR workshops 2019; Yang et al., Stop-gradient softmax loss for deep
    metric learning, AAAI 2023.
    """

    needs_neck = True

    def __init__(
        self,
        embedder: Embedder,
        num_classes: int,
        label_smoothing: float = 0.3,
        lambda_sgsl: float = 0.0,
        sgsl_below: float = 3.0,
        class_labels: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.check_settings(label_smoothing=label_smoothing, lambda_sgsl=lambda_sgsl)
        terms = [Term("L_softmax", 1.0, self._softmax), Term("L_sgsl", lambda_sgsl, self._sgsl)]
        super().__init__(embedder, terms, **kwargs)
        # === Layers ===
        labels = self.expect_labels(num_classes, class_labels)
        self.classifier = Classifier(embedder.output_shape[-1], labels, name="classifier")
        lowest = _lowest_cross_entropy(label_smoothing, num_classes)
        if lambda_sgsl and not lowest < sgsl_below:
            raise UserError(
                f"label_smoothing {label_smoothing} over {num_classes:,} classes keeps the "
                f"cross-entropy above {lowest:.2f}, so that SGSL would never begin; lower "
                f"label_smoothing or raise sgsl_below, which is {sgsl_below}."
            )

        # === Config ===
        self.num_classes = num_classes
        self.label_smoothing = label_smoothing
        self.lambda_sgsl = lambda_sgsl
        self.sgsl_below = sgsl_below

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        check_label_smoothing(settings["label_smoothing"])
        if not settings["lambda_sgsl"] >= 0:
            raise UserError(f"lambda_sgsl must be 0 or more, not {settings['lambda_sgsl']}.")

    def logits(self, features: Tensor) -> Tensor:
        return self.head()(self.embedder.projected(features))

    def _softmax(self, outputs: Outputs) -> Tensor:
        logits = self.head()(outputs.projected["clean"])
        targets = self.head().targets(outputs.labels)
        return noisy_classification(logits, targets, self.label_smoothing)

    def _sgsl(self, outputs: Outputs) -> Tensor:
        classes = ops.normalize(ops.transpose(self.head().dense.kernel), axis=-1)
        targets = self.head().targets(outputs.labels)
        values = stop_gradient_softmax(outputs.clean, targets, classes)
        has_learned = ops.mean(self._softmax(outputs)) <= self.sgsl_below
        return ops.where(has_learned, values, ops.zeros_like(values))


def _lowest_cross_entropy(label_smoothing: float, num_classes: int) -> float:
    """Computes the entropy of the smoothed targets, which no logits are below."""
    shares = [1.0 - label_smoothing, label_smoothing / max(num_classes - 1, 1)]
    counts = [1, num_classes - 1]
    return -sum(n * p * math.log(p) for n, p in zip(counts, shares, strict=True) if p > 0)
