"""The model that every recipe of learning is a subclass of."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import UnitFeatureNoise
from nfl_keras.models.checked_labels import CheckedLabels, check_labels
from nfl_keras.models.chunks.features_in_chunks import features_in_chunks
from nfl_keras.models.classifier import Classifier
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.models.objective import Objective
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.remembered_arguments import RememberedArguments
from nfl_keras.models.steps import Step
from nfl_keras.models.term import Measure, Term
from nfl_keras.typing import Tensor


class Learner(RememberedArguments, CheckedLabels, Objective, Step):
    """A model that teaches an embedder by the weighted terms of an objective.

    All views of a batch go through the embedder in one forward pass, so that they share batch
    statistics and no image is computed twice. Each term gives one value per anchor. The objective
    is the weighted sum of the terms' means over the anchors that have them. `fit` reports each
    term, unweighted, beside the total `loss`, under each of Keras' backends. Calling a learner
    calls its embedder.

    Under TensorFlow, a learner that is made and compiled in the scope of a `tf.distribute`
    strategy learns what one device would learn from the same batches, on one machine or several.
    Each replica embeds its part of a batch, and the terms are computed over the whole batch, also
    where it does not divide evenly. The backbone's BatchNormalization takes its statistics on each
    replica alone, and its moving averages are the mean over the replicas.
    `nfl.models.synchronize_batch_norm` takes them over the whole batch, and
    `nfl.models.freeze_batch_norm` fixes them. Random layers of the backbone, such as Dropout, draw
    the same on each replica. Metrics given to `compile` see the whole batch on every replica:
    means are what they are on one device, counts are multiplied by the number of replicas.

    A recipe is a subclass that passes its terms and may override `views`, or `views_and_draws`
    where a term needs what a view was made with. Annotate the settings of
    its constructor and describe them under `Args:`, and the command line has them as flags.
    `get_config` and `from_config` need no override: a learner remembers the arguments of its
    constructor. An attribute of an argument's name, where there is one, takes its place. The clean
    view with a term of your own needs no subclass.

    Args:
        embedder: `nfl.models.Embedder`.
        terms: sequence of `Term`, at least one with a weight above 0.
        measures: sequence of `Measure`, quantities that are reported and not learned. Defaults to
            none.
        **kwargs: as for `keras.Model`.

    Attributes:
        cut: `NetworkCut`, or `None`. With a cut the learner also takes batches of what the lower
            part makes of the views, see `outputs`.
        chunk_size: int. Above 0, `fit` learns from the same batch in less memory: at most so many
            images, of all views, go through the embedder at once, see `features_in_chunks`.
            Unless it is frozen, the backbone's BatchNormalization takes its statistics over a chunk
            then. Set it before the first step. Defaults to `0`: all at once.
        needs_neck: bool, of the class. Whether a recipe learns behind the embedder's neck, which a
            run then gives the embedder.

    Raises:
        UserError: if there is nothing to learn, or the embedder lacks a neck that the recipe needs.

    Example:

    >>> @keras.saving.register_keras_serializable()
    ... class Compact(nfl.models.Learner):
    ...     def __init__(self, embedder, strength: float = 1.0, **kwargs):
    ...         terms = [nfl.models.Term("L_compact", strength, self.compact)]
    ...         super().__init__(embedder, terms, **kwargs)
    ...     def compact(self, outputs):
    ...         center = keras.ops.mean(outputs.clean, axis=0, keepdims=True)
    ...         return keras.ops.sum((outputs.clean - center) ** 2, axis=1)
    >>> pixels = keras.Input((8, 8, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(4, 3)(pixels))
    >>> model = Compact(nfl.models.Embedder(backbone, 2, image_size=8), strength=0.5)
    >>> model.compile("sgd")
    >>> images, labels = np.ones((4, 8, 8, 3), "float32"), np.arange(4)
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['L_compact', 'loss']
    >>> Compact.from_config(model.get_config()).get_config()["strength"]
    0.5
    """

    cut: NetworkCut | None = None
    chunk_size: int = 0
    needs_neck: bool = False

    def __init__(
        self,
        embedder: Embedder,
        terms: Sequence[Term],
        measures: Sequence[Measure] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.needs_neck and not embedder.neck:
            raise UserError(
                f"{type(self).__name__} learns behind the embedder's neck; make the embedder with "
                f"neck=True, and a run without neck false."
            )
        self.embedder = embedder
        self.classifier = None
        self.set_terms(terms, measures)
        # All layers that a recipe adds are built where they are made.
        self.built = True

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        """Raises `UserError` for settings that are out of their range.

        A run calls it before it reads any photograph, with every setting that the recipe has on
        the command line. Subclasses call it in their constructors, too.

        Args:
            **settings: arguments of the constructor by name.
        """

    @classmethod
    def view_settings(cls, **settings: Any) -> dict[str, Any]:
        """Returns what the views and draws depend on, beside images and seed.

        Runs that agree in it share the views that they keep (`cache_dir`). A recipe whose views
        depend on fewer than all settings may override it. It holds for this very class: runs by
        a subclass that makes views of its own share them if they agree in all settings.

        Args:
            **settings: as for `check_settings`.

        Returns:
            Dict of name to a value that JSON can hold; empty if the images as they are are the
            only view.
        """
        return settings

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
        labels = self.expect_labels(num_classes, class_labels)
        self.classifier = Classifier(
            self.embedder.feature_dim, labels, normalize, noise, name="classifier"
        )

    def rate_factors(self, backbone_rate: float = 1.0) -> list[float]:
        """Returns the factor on the learning rate of each trainable weight.

        Args:
            backbone_rate: float, the factor of the backbone's weights. Defaults to `1.0`.

        Returns:
            Floats, as `nfl.optimizers.GroupedAdamW` and `GroupedSGD` take them.
        """
        backbone = {id(weight) for weight in self.embedder.backbone.trainable_weights}
        return [backbone_rate if id(w) in backbone else 1.0 for w in self.trainable_weights]

    def head(self) -> Classifier:
        """Returns the softmax head.

        Raises:
            UserError: if the model has no classifier.
        """
        if self.classifier is None:
            raise UserError(
                f"this {type(self).__name__} has no classifier and so no logits; make it with "
                f"num_classes and the weight of its softmax above 0 (lambda_s or lambda_softmax)."
            )
        return self.classifier

    def logits(self, features: Tensor) -> Tensor:
        """Computes the classifier's logits of pooled features, without noise.

        Args:
            features: `[B, C]`, such as `embedder.features(images)`.

        Returns:
            `[B, num_classes]`, before the softmax. Column k is the class with the label
            `class_labels[k]`.

        Raises:
            UserError: if the model has no classifier.
        """
        return self.head()(features)

    def views(self, images: Tensor, training: bool) -> dict[str, Tensor]:
        """Makes the views of a batch.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            training: bool.

        Returns:
            Dict of view name to a tensor of the same shape. The first is the clean one.
        """
        return {"clean": images}

    def views_and_draws(
        self, images: Tensor, training: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Makes the views of a batch, and tells by which random numbers, where a term needs them.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            training: bool.

        Returns:
            `(views, draws)`: what `views` returns, and a dict of name to `[B, ...]`, as in
            `Outputs`.
        """
        return self.views(images, training), {}

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        return self.embedder(images, training=training)

    def outputs(self, images: Tensor, labels: Tensor, training: bool) -> Outputs:
        """Sends all views through the embedder in one forward pass.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255. Or, if the learner has a `cut`, dict of
                `"views"` and `"draws"`, as `views_and_draws` makes them, but with the outputs
                `[B, ...]` of the lower part in the place of each view.
            labels: integer `[B]` or `[B, 1]`.
            training: bool.

        Returns:
            `Outputs` of these images; under a strategy, of one replica's part of a batch.
        """
        if isinstance(images, Mapping):
            return self.outputs_of(images["views"], labels, training, images["draws"], self.cut)
        views, draws = self.views_and_draws(images, training)
        return self.outputs_of(views, labels, training, draws)

    def outputs_of(
        self,
        views: Mapping[str, Tensor],
        labels: Tensor,
        training: bool,
        draws: Mapping[str, Tensor] | None = None,
        cut: NetworkCut | None = None,
    ) -> Outputs:
        """Sends the given views through the embedder in one forward pass.

        Args:
            views: dict of view name to float `[B, H, W, 3]`, the clean one first; with a cut,
                the outputs `[B, ...]` of its lower part.
            labels: integer `[B]` or `[B, 1]`.
            training: bool.
            draws: dict of name to `[B, ...]`, as in `Outputs`, or `None`.
            cut: `NetworkCut` whose upper part takes the views. Defaults to `None`: the whole
                network takes them.

        Returns:
            `Outputs`.
        """
        check_labels(labels)
        stacked = ops.concatenate(list(views.values()), axis=0)
        network = self.embedder.features if cut is None else cut.features
        features_of = functools.partial(network, training=training)
        if training and self.chunk_size:
            features = features_in_chunks(features_of, self.embedder, stacked, self.chunk_size)
        else:
            features = features_of(stacked)
        projected = self.embedder.projected(features, training)
        embeddings = self.embedder.get_layer("embedding")(projected)

        def by_view(rows: Tensor) -> dict[str, Tensor]:
            return dict(zip(views, ops.split(rows, len(views)), strict=True))

        return Outputs(
            embeddings=by_view(embeddings),
            features=by_view(features),
            projected=by_view(projected),
            labels=ops.reshape(labels, (-1,)),
            training=training,
            penalty=sum(self.losses, start=ops.zeros(())),
            draws=draws or {},
        )

    def get_config(self) -> dict[str, Any]:
        if "terms" in self._arguments:
            raise UserError(
                f"a {type(self).__name__} that is given its terms cannot be saved, since they are "
                f"functions; save its embedder, or write a subclass that makes the terms itself."
            )
        return super().get_config()
