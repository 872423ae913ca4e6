"""Class probabilities of a whole image set."""

import keras
import numpy as np
from keras import ops

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.models import Learner
from nfl_keras.progress import Progress
from nfl_keras.retrieval.predict_crops import predict_crops
from nfl_keras.typing import Tensor


def classify(
    model: Learner,
    image_set: ImageSet,
    crops: int = 3,
    batch_size: int = 64,
    image_size: int | None = None,
    show_progress: bool = True,
) -> np.ndarray:
    """Computes the class probabilities of every photograph of a set.

    They are the softmax of the logits, without noise: the mean over the crops that `embed`
    takes.

    Args:
        model: `nfl.models.NoiseInvariantModel`, `nfl.models.NoiseAssistedModel` with a
            `lambda_softmax`, or another `nfl.models.Learner` with a layer `classifier` and
            a method `logits` from pooled features `[B, C]` to `[B, K]`.
        image_set: `nfl.data.ImageSet`.
        crops: 3 square crops (the center and the two ends of the longer side), or 1 (the
            center). Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        image_size: int, side of the crops in pixels. Defaults to the embedder's.
        show_progress: bool, see `embed`. Defaults to `True`.

    Returns:
        float32 `[N, K]`, rows of sum 1, in the set's order. Column k is the class with the label
        `model.class_labels[k]`.

    Raises:
        UserError: if the model has no classifier, the set is empty, or for another number of
            crops.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> inputs = keras.Input((None, None, 3))
    >>> backbone = keras.Model(inputs, keras.layers.Conv2D(8, 3)(inputs))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=32)
    >>> model = nfl.models.NoiseInvariantModel(embedder, num_classes=5)
    >>> nfl.retrieval.classify(model, query, crops=1).shape
    (3, 5)

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """
    if getattr(model, "classifier", None) is None:
        raise UserError(
            f"this {type(model).__name__} has learned no classifier; train one with the weight of "
            f"its softmax above 0 (lambda_s or lambda_softmax)."
        )
    size = model.embedder.image_size if image_size is None else image_size
    classifier = _Probabilities(model)
    batches = predict_crops(classifier, image_set, size, crops, batch_size)
    with Progress(len(image_set), "photographs classified", show_progress) as progress:
        probabilities = [of_crops.mean(axis=1) for of_crops in progress.counted(batches)]
    return np.concatenate(probabilities).astype(np.float32)


class _Probabilities(keras.Model):
    """A model from images to the class probabilities of a learner."""

    def __init__(self, learner: Learner) -> None:
        # In float32; the learner's own layers keep their precision.
        super().__init__(name="probabilities", dtype="float32")
        self.learner = learner

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        logits = self.learner.logits(self.learner.embedder.features(images, training=training))
        return ops.softmax(ops.cast(logits, "float32"))
