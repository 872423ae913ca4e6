"""The training step that every recipe shares."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from nfl_keras.losses.anchors import anchor_weights
from nfl_keras.models.distributed_fit import DistributedFit
from nfl_keras.models.distribution import Share, average_batch_norm, gradients_for


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What the embedder gave for the views of a batch.

    Args:
        embeddings: dict of view name to float32 `[B, D]`, unit vectors f.
        features: dict of view name to `[B, C]`, pooled features z.
        labels: integer `[B]`.
        training: bool.
        penalty: float32 scalar, the regularization losses of the embedder's layers. Defaults to
            `0.0`.
    """

    embeddings: dict
    features: dict
    labels: object
    training: bool
    penalty: object = 0.0

    def gathered(self, share):
        """The same of the global batch, of which these are a replica's `Share`.

        The penalty stays the replica's own.
        """
        views = [*self.embeddings, *self.features]
        rows = share.gather([*self.embeddings.values(), *self.features.values()])
        middle = len(self.embeddings)
        return dataclasses.replace(
            self,
            embeddings=dict(zip(views[:middle], rows[:middle], strict=True)),
            features=dict(zip(views[middle:], rows[middle:], strict=True)),
            labels=share.gather([self.labels])[0],
        )


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


class Learner(DistributedFit, keras.Model):
    """An embedder, the views a batch is seen in, and the terms that it is taught by.

    The step of every recipe is written here once: all views go through the embedder in one
    forward pass, so that they share batch statistics and no image is computed twice; each
    term gives one value per anchor; the objective is the weighted sum of the terms' means
    over the anchors that have them. `fit` reports each term, unweighted, beside the total
    `loss`. Called, a learner is its embedder.

    Made and compiled in the scope of a `tf.distribute` strategy, on one machine or several, it
    learns what it would on one device from the same batches: each replica embeds its part of a
    batch, and the terms are those of the whole batch, also where it does not divide evenly.
    Statistics of BatchNormalization are each replica's own, and their moving averages the mean
    over the replicas, unless `nfl.models.synchronize_batch_norm` makes them those of the whole
    batch, or `freeze_batch_norm` fixes them. Random layers of the backbone, such as Dropout,
    draw for one part alone, and the same for each. Metrics given to `compile` see the whole
    batch on every replica: means are what they are on one device, counts are as many times that
    as there are replicas.

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

    The same on all GPUs of a machine:

    >>> with tf.distribute.MirroredStrategy().scope():
    ...     embedder = nfl.models.Embedder("resnet_18_imagenet")
    ...     learner = Learner(embedder, [Term("L_D", 1.0, values, anchors=has_pairs)])
    ...     learner.compile("adamw")
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
            `Outputs`, of these images alone where they are a replica's part of a batch.
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
            penalty=sum(self.losses, start=ops.zeros(())),
        )

    def objective(self, outputs, sample_weight=None):
        """The weighted sum of the terms and the penalty, and each term's own mean.

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
            start=outputs.penalty,
        )
        return loss, means

    def train_step(self, data):
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        share = Share.of(images)
        with tf.GradientTape() as tape:
            outputs, sample_weight = self._global(images, labels, sample_weight, share, True)
            loss, means = self.objective(outputs, sample_weight)
            # Every replica has the whole objective, and the optimizer sums over the replicas.
            scaled_loss = self.optimizer.scale_loss(share.fraction * loss)
        gradients = tape.gradient(scaled_loss, self.trainable_weights)
        if share.replicas > 1:
            gradients = gradients_for(self.optimizer, gradients)
            average_batch_norm(self)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self._report(outputs, loss, means, sample_weight, share)

    def test_step(self, data):
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        share = Share.of(images)
        outputs, sample_weight = self._global(images, labels, sample_weight, share, False)
        loss, means = self.objective(outputs, sample_weight)
        return self._report(outputs, loss, means, sample_weight, share)

    def _global(self, images, labels, sample_weight, share, training):
        outputs = self.outputs(share.checked(images), labels, training).gathered(share)
        if sample_weight is not None:
            [sample_weight] = share.gather([ops.cast(sample_weight, "float32")])
        return outputs, sample_weight

    def _report(self, outputs, loss, means, sample_weight, share):
        values = dict(zip((term.name for term in self.terms), means, strict=True), loss=loss)
        for metric in self.metrics:
            if metric.name in values:
                metric.update_state(values[metric.name], sample_weight=share.size)
        clean = next(iter(outputs.embeddings.values()))
        return self.compute_metrics(None, outputs.labels, clean, sample_weight)
