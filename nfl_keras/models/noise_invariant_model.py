"""The recipe of [NIFL]: noise on the input image and on the features."""

from collections.abc import Sequence

import keras

from nfl_keras.distribution.call_in_global_batch import call_in_global_batch
from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, UnitFeatureNoise
from nfl_keras.losses import class_discrimination, noise_invariance, noisy_classification
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.losses.noisy_classification import check_label_smoothing
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner, Term


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoiseInvariantModel(Learner):
    """Noise-invariant feature learning: λ_D L_D + λ1 L_N + λ2 L_S, as a Keras model.

    A batch is seen twice, clean and with Gaussian noise on its pixels. L_D tells classes
    apart by the clean embeddings, L_N ties each noisy embedding to its clean one, L_S
    classifies the pooled features under noise of unit norm, after a LayerNorm without
    affine. A term whose λ is 0 is left out, with the view or the layers that only it
    needs, so that each row of the paper's ablation is a setting.

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
        label_smoothing: float in `[0, 1)`, φ of L_S. Defaults to `0.1`.
        seed: int or `None`, of both noises. Defaults to `None`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if every λ is 0, or a setting is out of its range.

    Example:

    >>> model = nfl.models.NoiseInvariantModel(nfl.models.Embedder("tiny"), num_classes=20)
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> model.fit(dataset_of_images_and_integer_labels, epochs=10)
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
        label_smoothing: float = 0.1,
        seed: int | None = None,
        class_labels: Sequence[int] | None = None,
        **kwargs,
    ):
        weights = {"lambda_d": lambda_d, "lambda_n": lambda_n, "lambda_s": lambda_s}
        if min(weights.values()) < 0 or not any(weights.values()):
            raise UserError(f"of the weights {weights} none may be below 0 and one must be above.")
        if noise_stddev < 0:
            raise UserError(f"noise_stddev must be 0 or more, not {noise_stddev}.")
        check_temperature(temperature)
        check_label_smoothing(label_smoothing)
        terms = [
            Term("L_D", lambda_d, self._class_discrimination, has_pairs),
            Term("L_N", lambda_n, self._noise_invariance),
            Term("L_S", lambda_s, self._noisy_classification),
        ]
        super().__init__(embedder, terms, **kwargs)
        # === Layers ===
        self.input_noise = GaussianInputNoise(255.0 * noise_stddev, seed, dtype="float32")
        if lambda_s:
            noise = UnitFeatureNoise(seed=None if seed is None else seed + 1)
            self.add_classifier(num_classes, class_labels, normalize=True, noise=noise)
        self.built = True

        # === Config ===
        self.num_classes = num_classes
        self.lambda_n = lambda_n
        self.lambda_s = lambda_s
        self.lambda_d = lambda_d
        self.temperature = temperature
        self.noise_stddev = noise_stddev
        self.label_smoothing = label_smoothing
        self.seed = seed

    def views(self, images, training):
        views = {"clean": images}
        if self.lambda_n:
            views["noisy"] = call_in_global_batch(self.input_noise, images, training)
        return views

    def _class_discrimination(self, outputs):
        return class_discrimination(outputs.embeddings["clean"], outputs.labels, self.temperature)

    def _noise_invariance(self, outputs):
        embeddings = outputs.embeddings
        return noise_invariance(embeddings["clean"], embeddings["noisy"], self.temperature)

    def _noisy_classification(self, outputs):
        logits = self.classifier(outputs.features["clean"], training=outputs.training)
        labels = self.classifier.positions(outputs.labels)
        return noisy_classification(logits, labels, self.label_smoothing)

    def get_config(self):
        return {
            "embedder": keras.saving.serialize_keras_object(self.embedder),
            "num_classes": self.num_classes,
            "class_labels": self.class_labels,
            "lambda_n": self.lambda_n,
            "lambda_s": self.lambda_s,
            "lambda_d": self.lambda_d,
            "temperature": self.temperature,
            "noise_stddev": self.noise_stddev,
            "label_smoothing": self.label_smoothing,
            "seed": self.seed,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        embedder = keras.saving.deserialize_keras_object(
            config["embedder"], custom_objects=custom_objects
        )
        return cls(**{**config, "embedder": embedder})
