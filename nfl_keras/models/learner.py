"""What every recipe of learning shares: views, outputs, terms, and what `fit` reports."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import UnitFeatureNoise
from nfl_keras.losses.anchor_weights import anchor_weights
from nfl_keras.models.classifier import Classifier
from nfl_keras.models.steps import Step
from nfl_keras.typing import Tensor


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
        draws: dict of name to `[B, ...]`, what was drawn for each image that a term asks for.
            Defaults to none.
    """

    embeddings: dict
    features: dict
    labels: object
    training: bool
    penalty: object = 0.0
    draws: dict = dataclasses.field(default_factory=dict)

    @property
    def clean(self):
        """The embeddings `[B, D]` of the first view, the clean one."""
        return next(iter(self.embeddings.values()))


@dataclasses.dataclass(frozen=True)
class Term:
    """One named, weighted part of an objective.

    Args:
        name: str, under which `fit` reports it.
        weight: float, or `None`. A term of weight 0 is left out of the objective and not
            computed; one of `None` is reported, and not learned.
        values: function from `Outputs` to float32 `[B]`, one value per anchor.
        anchors: function from labels `[B]` to bool `[B]`, the anchors that have this term.
            Defaults to all.
    """

    name: str
    weight: float | None
    values: Callable
    anchors: Callable | None = None


class Learner(Step, keras.Model):
    """An embedder, the views a batch is seen in, and the terms that it is taught by.

    What every recipe shares is written here once: all views go through the embedder in one
    forward pass, so that they share batch statistics and no image is computed twice; each
    term gives one value per anchor; the objective is the weighted sum of the terms' means
    over the anchors that have them. `fit` reports each term, unweighted, beside the total
    `loss`, under each of Keras' backends. Called, a learner is its embedder.

    Made and compiled under TensorFlow in the scope of a `tf.distribute` strategy, on one machine
    or several, it learns what it would on one device from the same batches: each replica embeds
    its part of a batch, and the terms are those of the whole batch, also where it does not divide
    evenly. Statistics of BatchNormalization are each replica's own, and their moving averages the
    mean over the replicas, unless `nfl.models.synchronize_batch_norm` makes them those of the
    whole batch, or `freeze_batch_norm` fixes them. Random layers of the backbone, such as
    Dropout, draw for one part alone, and the same for each. Metrics given to `compile` see the
    whole batch on every replica: means are what they are on one device, counts are as many times
    that as there are replicas.

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
        self.classifier = None
        self.class_labels = None
        self.terms = tuple(term for term in terms if term.weight != 0)
        self.term_trackers = [keras.metrics.Mean(name=term.name) for term in self.terms]

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        """Raises `UserError` for arguments of the constructor that are out of their range.

        A run calls it before it reads any photograph, with every setting that the recipe has on
        the command line. Subclasses call it from their constructors, too.

        Args:
            **settings: arguments of the constructor by name.
        """

    def add_classifier(
        self,
        num_classes: int | None,
        class_labels: Sequence[int] | None = None,
        normalize: bool = False,
        noise: UnitFeatureNoise | None = None,
    ) -> None:
        """Adds a softmax head to the model.

        Args:
            num_classes: int, classes that are trained on.
            class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults
                to `range(num_classes)`.
            normalize: bool, see `Classifier`. Defaults to `False`.
            noise: layer or `None`, see `Classifier`. Defaults to `None`.

        Raises:
            UserError: if the number of classes is missing, or `class_labels` does not fit it.
        """
        if not num_classes:
            raise UserError("a model that learns a classifier needs num_classes, too.")
        labels = range(num_classes) if class_labels is None else class_labels
        if len(labels) != num_classes:
            raise UserError(
                f"class_labels has {len(labels)} labels for num_classes={num_classes}; give one "
                f"label per class."
            )
        self.classifier = Classifier(
            self.embedder.feature_dim, labels, normalize, noise, name="classifier"
        )
        self.class_labels = list(self.classifier.class_labels)

    def logits(self, features: Tensor) -> Tensor:
        """Computes what the classifier makes of pooled features, without noise.

        Args:
            features: `[B, C]`, such as `embedder.features(images)`.

        Returns:
            `[B, num_classes]`, before the softmax. Column k is the class with the label
            `class_labels[k]`.

        Raises:
            UserError: if the model has no classifier.
        """
        if self.classifier is None:
            raise UserError(
                f"this {type(self).__name__} has no classifier and so no logits; make it with "
                f"num_classes and the weight of its softmax above 0 (lambda_s or lambda_softmax)."
            )
        return self.classifier(features)

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
        return self.outputs_of(self.views(images, training), labels, training)

    def outputs_of(self, views, labels, training, draws=None):
        """`outputs` of views that are made already.

        Args:
            views: dict of view name to float `[B, H, W, 3]`, the clean one first.
            labels: integer `[B]` or `[B, 1]`.
            training: bool.
            draws: dict of name to `[B, ...]`, as in `Outputs`, or `None`.

        Returns:
            `Outputs`.
        """
        stacked = ops.concatenate(list(views.values()), axis=0)
        features = self.embedder.features(stacked, training=training)
        embeddings = self.embedder.project(features)
        return Outputs(
            embeddings=dict(zip(views, ops.split(embeddings, len(views)), strict=True)),
            features=dict(zip(views, ops.split(features, len(views)), strict=True)),
            labels=ops.reshape(labels, (-1,)),
            training=training,
            penalty=sum(self.losses, start=ops.zeros(())),
            draws=draws or {},
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
        learned = [(t, mean) for t, mean in zip(self.terms, means, strict=True) if t.weight]
        loss = sum((term.weight * mean for term, mean in learned), start=outputs.penalty)
        return loss, means

    def track(self, outputs, loss, means, sample_weight, size):
        """Adds a batch to the running means and to the metrics of `compile`.

        Args:
            outputs: `Outputs` of the batch.
            loss: float32 scalar, and
            means: one per term, as `objective` gives them.
            sample_weight: float `[B]`, or `None`.
            size: int or int32 scalar, the number of images by which the means are weighted.

        Returns:
            Dict of name to the value so far, as `fit` reports it.
        """
        self._loss_tracker.update_state(loss, sample_weight=size)
        self.track_terms(means, size)
        return self.compute_metrics(None, outputs.labels, outputs.clean, sample_weight)

    def track_terms(self, means, size):
        """Adds the terms' means over `size` images to their running means."""
        for tracker, mean in zip(self.term_trackers, means, strict=True):
            tracker.update_state(mean, sample_weight=size)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, ops.reshape(y, (-1,)), y_pred, sample_weight)
