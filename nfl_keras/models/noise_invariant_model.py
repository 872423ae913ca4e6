"""The recipe of [NIFL]: noise on the input image and on the features."""

from collections.abc import Sequence
from typing import Any

import keras

from nfl_keras.distribution.call_in_global_batch import call_in_global_batch
from nfl_keras.layers import GaussianInputNoise, UnitFeatureNoise
from nfl_keras.losses import class_discrimination, noise_invariance, noisy_classification
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.losses.noisy_classification import check_label_smoothing
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.term import Term, check_noise_stddev, check_weights
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoiseInvariantModel(Learner):
    """Noise-invariant feature learning: λ_D L_D + λ1 L_N + λ2 L_S, as a Keras model.

    The embedder sees a batch twice, clean and with Gaussian noise on its pixels. L_D tells classes
    apart by the clean embeddings. L_N ties each noisy embedding to its clean one. L_S classifies
    the pooled features, after a LayerNorm without affine and with noise of unit norm. With λ = 0
    the model leaves out a term, and the view or the layers that only this term needs, so that
    each row of the paper's ablation is a setting.

    Compile it with an optimizer alone and train it by `fit` with integer labels, in batches
    with several images of each class (`nfl.data.balanced_batches`). `fit` reports `loss` and
    the unweighted terms `L_D`, `L_N`, `L_S`. Called, it gives the embedder's unit vectors.

    Args:
        embedder: `nfl.models.Embedder`.
        num_classes: int, classes that are trained on.
        lambda_n: float, weight λ1 of L_N. Defaults to `1.0`.
        lambda_s: float, weight λ2 of L_S. Defaults to `1.0`.
        lambda_d: float, weight λ_D of L_D. Defaults to `1.0`.
        temperature: float > 0, of L_D and L_N. Defaults to `0.1`.
        noise_stddev: float, of the input noise, for images in 0..1 (the model takes
            0..255 and scales the noise with them). Defaults to `0.1`.
        feature_noise: bool, whether the features of L_S get noise. Defaults to `True`.
        label_smoothing: float in `[0, 1)`, φ of L_S. Defaults to `0.1`.
        seed: int or `None`, of both noises. Defaults to `None`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if every λ is 0, or a setting is out of its range.

    Example:

    >>> pixels = keras.Input((None, None, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(8, 3)(pixels))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=16)
    >>> model = nfl.models.NoiseInvariantModel(embedder, num_classes=2)
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> images, labels = np.zeros((4, 16, 16, 3), "float32"), np.array([0, 0, 1, 1])
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['L_D', 'L_N', 'L_S', 'loss']
    >>> model.embedder.save("embedder.keras")

    Reference: [NIFL], doi 10.1038/s41598-025-97528-9.
    """

    def __init__(
        self,
        embedder: Embedder,
        num_classes: int,
        lambda_n: float = 1.0,
        lambda_s: float = 1.0,
        lambda_d: float = 1.0,
        temperature: float = 0.1,
        noise_stddev: float = 0.1,
        feature_noise: bool = True,
        label_smoothing: float = 0.1,
        seed: int | None = None,
        class_labels: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.check_settings(
            lambda_n=lambda_n,
            lambda_s=lambda_s,
            lambda_d=lambda_d,
            temperature=temperature,
            noise_stddev=noise_stddev,
            label_smoothing=label_smoothing,
        )
        terms = [
            Term("L_D", lambda_d, self._class_discrimination, has_pairs),
            Term("L_N", lambda_n, self._noise_invariance),
            Term("L_S", lambda_s, self._noisy_classification),
        ]
        super().__init__(embedder, terms, **kwargs)
        # === Layers ===
        self.input_noise = GaussianInputNoise(255.0 * noise_stddev, seed, dtype="float32")
        if lambda_s:
            noise = None
            if feature_noise:
                noise = UnitFeatureNoise(seed=None if seed is None else seed + 1)
            self.add_classifier(num_classes, class_labels, normalize=True, noise=noise)

        # === Config ===
        self.num_classes = num_classes
        self.lambda_n = lambda_n
        self.lambda_s = lambda_s
        self.lambda_d = lambda_d
        self.temperature = temperature
        self.noise_stddev = noise_stddev
        self.feature_noise = feature_noise
        self.label_smoothing = label_smoothing
        self.seed = seed

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        check_weights({name: settings[name] for name in ("lambda_d", "lambda_n", "lambda_s")})
        check_noise_stddev(settings["noise_stddev"])
        check_temperature(settings["temperature"])
        check_label_smoothing(settings["label_smoothing"])

    @classmethod
    def view_settings(cls, **settings: Any) -> dict[str, Any]:
        return {"noise_stddev": settings["noise_stddev"]} if settings["lambda_n"] else {}

    def views(self, images: Tensor, training: bool) -> dict[str, Tensor]:
        views = {"clean": images}
        if self.lambda_n:
            views["noisy"] = call_in_global_batch(self.input_noise, images, training)
        return views

    def _class_discrimination(self, outputs: Outputs) -> Tensor:
        return class_discrimination(outputs.embeddings["clean"], outputs.labels, self.temperature)

    def _noise_invariance(self, outputs: Outputs) -> Tensor:
        embeddings = outputs.embeddings
        return noise_invariance(embeddings["clean"], embeddings["noisy"], self.temperature)

    def _noisy_classification(self, outputs: Outputs) -> Tensor:
        classifier = self.head()
        logits = classifier(outputs.features["clean"], training=outputs.training)
        labels = classifier.targets(outputs.labels)
        return noisy_classification(logits, labels, self.label_smoothing)
