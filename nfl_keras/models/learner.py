"""The training step that every recipe shares."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.anchors import anchor_weights


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What the embedder gave for the views of a batch.

    Args:
        embeddings: dict of view name to float32 `[B, D]`, unit vectors f.
        features: dict of view name to `[B, C]`, pooled features z.
        labels: integer `[B]`.
        training: bool.
    """

    embeddings: dict
    features: dict
    labels: object
    training: bool


@dataclasses.dataclass(frozen=True)
class Term:
    """One named, weighted part of an objective.

    Args:
        name: str, under which `fit` reports it.
        weight: float. A term of weight 0 is left out of the objective and not computed.
        values: function from `Outputs` to float32 `[B]`, one value per anchor.
        anchors: function from labels `[B]` to bool `[B]`, the anchors that have this term.
            Defaults to all.
    """

    name: str
    weight: float
    values: Callable
    anchors: Callable | None = None


class Learner(keras.Model):
    """An embedder, the views a batch is seen in, and the terms that it is taught by.

    The step of every recipe is written here once: all views go through the embedder in one
    forward pass, so that they share batch statistics and no image is computed twice; each
    term gives one value per anchor; the objective is the weighted sum of the terms' means
    over the anchors that have them. `fit` reports each term, unweighted, beside the total
    `loss`. Called, a learner is its embedder.

    A recipe is a subclass that overrides `views` and passes its terms. One with the clean
    view and a term of one's own needs no subclass.

    Args:
        embedder: `nfl.models.Embedder`.
        terms: sequence of `Term`. Those of weight 0 are dropped.
        **kwargs: as for `keras.Model`.

    Example:

    >>> def values(outputs):
    ...     return class_discrimination(outputs.embeddings["clean"], outputs.labels)
    >>> learner = Learner(embedder, [Term("L_D", 1.0, values, anchors=has_pairs)])
    >>> learner.compile("adamw")
    >>> learner.fit(dataset_of_images_and_integer_labels)
    """

    def __init__(self, embedder, terms, **kwargs):
        super().__init__(**kwargs)
        self.embedder = embedder
        self.terms = tuple(term for term in terms if term.weight)
        self.term_trackers = [keras.metrics.Mean(name=term.name) for term in self.terms]

    def views(self, images, training):
        """The views of a batch.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            training: bool.

        Returns:
            Dict of view name to a tensor of the same shape. The first is the clean one.
        """
        return {"clean": images}

    def call(self, images, training=False):
        return self.embedder(images, training=training)

    def outputs(self, images, labels, training):
        """Sends all views through the embedder in one forward pass.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            labels: integer `[B]` or `[B, 1]`.
            training: bool.

        Returns:
            `Outputs`.
        """
        views = self.views(images, training)
        stacked = ops.concatenate(list(views.values()), axis=0)
        features = self.embedder.features(stacked, training=training)
        embeddings = self.embedder.project(features)
        return Outputs(
            embeddings=dict(zip(views, ops.split(embeddings, len(views)), strict=True)),
            features=dict(zip(views, ops.split(features, len(views)), strict=True)),
            labels=ops.reshape(labels, (-1,)),
            training=training,
        )

    def objective(self, outputs, sample_weight=None):
        """The weighted sum of the terms, and each term's own mean.

        Regularization losses of the embedder's layers, if any, are added to the sum.

        Args:
            outputs: `Outputs`.
            sample_weight: float `[B]`, a weight per anchor, or `None`.

        Returns:
            `(loss, means)`: a float32 scalar, and one float32 scalar per term.
        """
        means = []
        for term in self.terms:
            values = term.values(outputs)
            if term.anchors is not None:
                values = values * anchor_weights(term.anchors(outputs.labels))
            if sample_weight is not None:
                values = values * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
            means.append(ops.mean(values))
        loss = sum(
            (term.weight * mean for term, mean in zip(self.terms, means, strict=True)),
            start=sum(self.losses, start=ops.zeros(())),
        )
        return loss, means

    def train_step(self, data):
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise UserError(
                "a batch cannot be divided among replicas yet: the losses compare all of its "
                "images, so each replica would learn another objective; use one device."
            )
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self.outputs(images, labels, training=True)
            loss, means = self.objective(outputs, sample_weight)
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self._report(outputs, loss, means, sample_weight)

    def test_step(self, data):
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self.outputs(images, labels, training=False)
        loss, means = self.objective(outputs, sample_weight)
        return self._report(outputs, loss, means, sample_weight)

    def _report(self, outputs, loss, means, sample_weight):
        batch_size = ops.shape(outputs.labels)[0]
        values = dict(zip((term.name for term in self.terms), means, strict=True), loss=loss)
        for metric in self.metrics:
            if metric.name in values:
                metric.update_state(values[metric.name], sample_weight=batch_size)
        clean = next(iter(outputs.embeddings.values()))
        return self.compute_metrics(None, outputs.labels, clean, sample_weight)
