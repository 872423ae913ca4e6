"""The recipe of [NAFL]: positives by noise within a class, and a pretext task."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from nfl_keras.distribution.call_in_global_batch import call_in_global_batch
from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, RandomView, WindowShuffle
from nfl_keras.losses import class_discrimination, intra_class_diversity
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import has_pairs, has_positives
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.pretext import PretextTask, make_pretext_task
from nfl_keras.models.term import Measure, Term, check_noise_stddev, check_weights
from nfl_keras.typing import Tensor

NOISES = ("shuffle", "gaussian", "none")


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoiseAssistedModel(Learner):
    """Noise-assisted learning: λ_inter L_inter + λ_intra L_intra + λ_pretext L_pretext.

    L_inter (the L_D of [NIFL]) tells classes apart by the clean embeddings f. L_intra keeps the
    images of a class apart: f must be nearer to two positives of its own than to the others of
    its class. The positives are f*, of the image with noise, and f# = f* + f^t, scaled to unit
    length, with f^t of another ordinary view of the image. L_pretext is a question about one
    more view, answered from pooled features z without labels (`nfl.models.pretext`). A softmax
    classifier of z can be learned beside them, and `fit` then reports its accuracy. All views go
    through the embedder in one pass. A term whose λ is 0 is left out, with the views and layers
    that only it needs.

    Compile it with an optimizer alone and train it by `fit` with integer labels, in batches
    with several images of each class (`nfl.data.balanced_batches`). `fit` reports `loss` and
    the unweighted terms `L_inter`, `L_intra`, `L_pretext`, `L_softmax` and `accuracy`, as far
    as the model has them. Called, it gives the embedder's unit vectors. In evaluation there is
    no noise and f^t is f; the pretext task draws, the same each time.

    Args:
        embedder: `nfl.models.Embedder`.
        window: int, side in pixels of the windows in which `"shuffle"` permutes pixels.
            Defaults to `8`.
        pretext: `"rotation"`, `"exemplar"`, `"jigsaw"`, a `nfl.models.pretext.PretextTask`, or
            `None`. Defaults to `None`.
        noise: `"shuffle"` (`nfl.layers.WindowShuffle`), `"gaussian"`
            (`nfl.layers.GaussianInputNoise`) or `"none"`: f* is then f itself, and f# = f + f^t
            the only positive that is learned from another view. Defaults to `"shuffle"`.
        noise_stddev: float, of `"gaussian"`, for images in 0..1 (the model takes 0..255 and
            scales the noise with them). Defaults to `0.1`.
        augmentation: layer that makes the other ordinary view, each image on its own, called
            as `layer(images, training=training)` with pixels in 0..255. Defaults to
            `nfl.layers.RandomView`: moved, scaled, turned, mirrored and recolored. Batches
            hold one view of each photograph, so it is a view of that view.
        unit_sum: bool. If false, f# is the sum f* + f^t as it is, of length up to 2. Defaults
            to `True`.
        num_classes: int, classes that are trained on. Only the classifier needs it. Defaults to
            `None`.
        lambda_inter: float, weight of L_inter. Defaults to `1.0`.
        lambda_intra: float, weight of L_intra. Defaults to `1.0`.
        lambda_pretext: float, weight of L_pretext, if there is a task. With `0` the model keeps
            none. Defaults to `1.0`.
        lambda_softmax: float, weight of the classifier's cross-entropy. Defaults to `0.0`.
        temperature: float > 0, of L_inter and L_intra. Defaults to `0.1`.
        seed: int or `None`, of the noise, the augmentation and the task made by its name.
            Defaults to `None`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if no term is left, or a setting is out of its range.

    Example:

    >>> pixels = keras.Input((None, None, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(8, 3)(pixels))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=16)
    >>> model = nfl.models.NoiseAssistedModel(embedder, window=4, pretext="rotation")
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> images, labels = np.zeros((4, 16, 16, 3), "float32"), np.array([0, 0, 1, 1])
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['L_inter', 'L_intra', 'L_pretext', 'loss']
    >>> model.embedder.save("embedder.keras")

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """

    def __init__(
        self,
        embedder: Embedder,
        window: int = 8,
        pretext: Literal["rotation", "exemplar", "jigsaw"] | PretextTask | None = None,
        noise: Literal["shuffle", "gaussian", "none"] = "shuffle",
        noise_stddev: float = 0.1,
        augmentation: keras.layers.Layer | None = None,
        unit_sum: bool = True,
        num_classes: int | None = None,
        lambda_inter: float = 1.0,
        lambda_intra: float = 1.0,
        lambda_pretext: float = 1.0,
        lambda_softmax: float = 0.0,
        temperature: float = 0.1,
        seed: int | None = None,
        class_labels: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.check_settings(
            window=window,
            pretext=pretext,
            noise=noise,
            noise_stddev=noise_stddev,
            lambda_inter=lambda_inter,
            lambda_intra=lambda_intra,
            lambda_pretext=lambda_pretext,
            lambda_softmax=lambda_softmax,
            temperature=temperature,
        )
        of_task = lambda_pretext if pretext is not None else 0.0
        terms = [
            Term("L_inter", lambda_inter, self._inter_class, has_pairs),
            Term("L_intra", lambda_intra, self._intra_class, has_positives),
            Term("L_pretext", of_task, self._pretext),
            Term("L_softmax", lambda_softmax, self._softmax),
        ]
        measures = [Measure("accuracy", self._accuracy)] if lambda_softmax else []
        super().__init__(embedder, terms, measures, **kwargs)
        # === Layers ===
        seeds = [None] * 3 if seed is None else [seed, seed + 1, seed + 2]
        self.input_noise = None
        if noise == "shuffle":
            self.input_noise = WindowShuffle(window, seeds[0], dtype="float32")
        if noise == "gaussian":
            self.input_noise = GaussianInputNoise(255.0 * noise_stddev, seeds[0], dtype="float32")
        if augmentation is None:
            augmentation = RandomView(seed=seeds[1], dtype="float32")
        self.augmentation = augmentation
        task = None if pretext is None else make_pretext_task(pretext, seeds[2])
        self.pretext: Any = task if of_task else None
        if self.pretext is not None and not self.pretext.built:
            self.pretext.build((None, embedder.feature_dim))
        if lambda_softmax:
            self.add_classifier(num_classes, class_labels)

        # === Config ===
        self.window = window
        self.noise = noise
        self.noise_stddev = noise_stddev
        self.unit_sum = unit_sum
        self.num_classes = num_classes
        self.lambda_inter = lambda_inter
        self.lambda_intra = lambda_intra
        self.lambda_pretext = lambda_pretext
        self.lambda_softmax = lambda_softmax
        self.temperature = temperature
        self.seed = seed

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        names = ("lambda_inter", "lambda_intra", "lambda_pretext", "lambda_softmax")
        weights = {name: settings[name] for name in names}
        if settings["pretext"] is None and not weights["lambda_pretext"] < 0:
            # Without a task its weight has no effect.
            del weights["lambda_pretext"]
        check_weights(weights)
        check_noise_stddev(settings["noise_stddev"])
        check_temperature(settings["temperature"])
        if settings["noise"] not in NOISES:
            raise UserError(f"noise must be one of {', '.join(NOISES)}, not {settings['noise']!r}.")
        if settings["noise"] == "shuffle":
            WindowShuffle(settings["window"], seed=0)

    @classmethod
    def view_settings(cls, **settings: Any) -> dict[str, Any]:
        needed: dict[str, Any] = {}
        if settings["lambda_intra"]:
            strength = {"shuffle": ["window"], "gaussian": ["noise_stddev"], "none": []}
            names = ["noise", *strength[settings["noise"]]]
            needed = {name: settings[name] for name in names}
        if settings["pretext"] is not None and settings["lambda_pretext"]:
            needed["pretext"] = settings["pretext"]
        return needed

    def views(self, images: Tensor, training: bool) -> dict[str, Tensor]:
        views = {"clean": images}
        if self.lambda_intra and self.input_noise is not None:
            views["noisy"] = call_in_global_batch(self.input_noise, images, training)
        if self.lambda_intra:
            views["other"] = call_in_global_batch(self.augmentation, images, training)
        return views

    def views_and_draws(
        self, images: Tensor, training: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        views, draws = self.views(images, training), {}
        if self.pretext is not None:
            # A draw needs only the number of images. It covers the global batch in evaluation, too.
            draws["pretext"] = call_in_global_batch(
                lambda rows, **_: self.pretext.draw_for(rows, training),
                images[:, :1, :1, :1],
                training=True,
            )
            pixels = ops.cast(images, "float32")
            views["pretext"] = self.pretext.render(pixels, draws["pretext"])
        return views, draws

    def _inter_class(self, outputs: Outputs) -> Tensor:
        return class_discrimination(outputs.clean, outputs.labels, self.temperature)

    def _intra_class(self, outputs: Outputs) -> Tensor:
        embeddings = outputs.embeddings
        noisy = embeddings.get("noisy", embeddings["clean"])
        joint = noisy + embeddings["other"]
        if self.unit_sum:
            # Two opposite embeddings have no direction in common, and a gradient of 0.
            square = ops.sum(joint**2, axis=-1, keepdims=True)
            joint = joint * ops.rsqrt(ops.maximum(square, 1e-12))
        positives = ops.stack([noisy, joint])
        return intra_class_diversity(
            embeddings["clean"], positives, outputs.labels, self.temperature
        )

    def _pretext(self, outputs: Outputs) -> Tensor:
        features = outputs.features
        return self.pretext.values(features["pretext"], features["clean"], outputs.draws["pretext"])

    def _softmax(self, outputs: Outputs) -> Tensor:
        return self.head().cross_entropy(outputs.features["clean"], outputs.labels)

    def _accuracy(self, outputs: Outputs) -> Tensor:
        return self.head().is_right(outputs.features["clean"], outputs.labels)
