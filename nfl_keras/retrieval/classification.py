"""What class a learner's softmax head gives each photograph, and how often it is right."""

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.retrieval.forward import forward
from nfl_keras.retrieval.labels import integer_labels


def classify(model, image_set, crops=3, batch_size=64, image_size=None):
    """Gives every photograph of a set its class probabilities.

    The softmax of the logits, without noise, of each crop that `embed` takes, and the mean over
    the crops.

    Args:
        model: `nfl.models.NoiseInvariantModel`, `nfl.models.NoiseAssistedModel` with a
            `lambda_softmax`, or another `nfl.models.Learner` with a layer `classifier` and
            a method `logits` from pooled features `[B, C]` to `[B, K]`.
        image_set: `nfl.data.ImageSet`.
        crops: 3, or 1 for the center alone. Defaults to `3`.
        batch_size: int, photographs at a time. Defaults to `64`.
        image_size: int, side of the crops in pixels. Defaults to the embedder's.

    Returns:
        float32 `[N, K]`, rows of sum 1, in the set's order. Column k is the class that had
        the label k in training.

    Raises:
        UserError: if the model has no classifier, the set is empty, or for another number of
            crops.

    Example:

    >>> test = nfl.data.load("blooms", protocol="fine-grained", split="query")
    >>> probabilities = nfl.retrieval.classify(model, test, crops=1)
    >>> nfl.retrieval.accuracy(probabilities, test.labels)

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """
    if not (hasattr(model, "classifier") and hasattr(model, "logits")):
        raise UserError(
            f"this {type(model).__name__} has learned no classifier; train one with the weight of "
            f"its softmax above 0 (lambda_s or lambda_softmax)."
        )
    size = model.embedder.image_size if image_size is None else image_size
    network = _Probabilities(model)
    probabilities = [
        of_crops.mean(axis=1) for of_crops in forward(network, image_set, size, crops, batch_size)
    ]
    return np.concatenate(probabilities).astype(np.float32)


def accuracy(probabilities, labels):
    """The share of photographs whose most probable class is their own.

    Args:
        probabilities: float `[N, K]`, such as `classify` gives. Of equal ones the first counts.
        labels: integers `[N]` in `0 .. K - 1`, numbered as in training.

    Returns:
        float in 0..1.

    Raises:
        UserError: if probabilities or labels cannot be used.

    Example:

    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 1])
    0.6666666666666666
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or not np.issubdtype(probabilities.dtype, np.floating):
        raise UserError(
            f"probabilities must be floats of shape [N, K], not {probabilities.dtype} of shape "
            f"{list(probabilities.shape)}."
        )
    if not probabilities.size:
        raise UserError(f"probabilities of shape {list(probabilities.shape)} are empty.")
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        raise UserError(f"row {finite.argmin()} of the probabilities has NaN or infinity.")
    count, num_classes = probabilities.shape
    labels = integer_labels(labels, count, "labels", of="rows of probabilities")
    if not 0 <= labels.min() <= labels.max() < num_classes:
        raise UserError(
            f"labels run from {labels.min()} to {labels.max()}, but the classifier has "
            f"{num_classes:,} classes (0 to {num_classes - 1:,}): number them as in training."
        )
    return float(np.mean(probabilities.argmax(axis=1) == labels))


class _Probabilities(keras.Model):
    """A learner at rest, as a model from images to class probabilities."""

    def __init__(self, learner):
        # Not in halves: the learner's own layers choose their precision.
        super().__init__(name="probabilities", dtype="float32")
        self.learner = learner

    def call(self, images, training=False):
        logits = self.learner.logits(self.learner.embedder.features(images, training=training))
        return ops.softmax(ops.cast(logits, "float32"))
