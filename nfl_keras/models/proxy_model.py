"""The recipe of proxies, trained vectors that stand for classes, for comparison."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
from keras import ops

from nfl_keras import losses
from nfl_keras.errors import UserError
from nfl_keras.models.choose_loss import choose_loss
from nfl_keras.models.class_labels import label_targets
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.term import Term
from nfl_keras.typing import Tensor

ProxyLossName = Literal["norm-softmax", "proxy-anchor", "soft-triple"]
PROXY_LOSSES: dict[str, Callable[..., Tensor]] = {
    "norm-softmax": losses.norm_softmax,
    "proxy-anchor": losses.proxy_anchor,
    "soft-triple": losses.soft_triple,
}
SEVERAL = "soft-triple"


@keras.saving.register_keras_serializable(package="nfl_keras")
class ProxyModel(Learner):
    """Learning by one loss between the clean embeddings and proxies of the classes.

    Proxies begin as random directions and are trained. They learn at a rate of their own, since
    each gets a gradient from few images: give the optimizer `rate_factors()`, as a run does. Their
    lengths play no part.

    Compile it and train it by `fit` with integer labels. `fit` reports `loss` and the unweighted
    terms, under the name of the proxy loss and as `anti_collapse`.

    Args:
        embedder: `nfl.models.Embedder`.
        num_classes: int, classes that are trained on.
        proxy_loss: "norm-softmax", "proxy-anchor" or "soft-triple". Defaults to `"proxy-anchor"`.
        temperature: float > 0, of norm-softmax and soft-triple. Defaults to `None`, the default
            of the loss.
        margin: float >= 0, of proxy-anchor and soft-triple. Defaults to `None`, the default of the
            loss.
        scale: float > 0, of proxy-anchor and soft-triple. Defaults to `None`, the default of the
            loss.
        proxies_per_class: int >= 1, of soft-triple; other losses have one. Defaults to `None`, 10
            for soft-triple.
        anti_collapse: float >= 0, weight of the negative coding rate of the proxies. Defaults to
            `0.0`.
        proxy_rate: float > 0, factor on the learning rate of the proxies. Proxy-Anchor and
            SoftTriple have 100 at a learning rate of 1e-4. Defaults to `10.0`.
        seed: int or `None`, of the first proxies. Defaults to `None`.
        class_labels: ints `[num_classes]`, ascending, the labels of these classes. Defaults to
            `range(num_classes)`.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if there is no such loss, or a setting is out of its range or not of this loss.

    Example:

    >>> pixels = keras.Input((None, None, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(8, 3)(pixels))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=16)
    >>> model = nfl.models.ProxyModel(embedder, num_classes=2, proxy_loss="norm-softmax")
    >>> model.compile(nfl.optimizers.GroupedAdamW(1e-3, rate_factors=model.rate_factors()))
    >>> images, labels = np.zeros((4, 16, 16, 3), "float32"), np.array([0, 0, 1, 1])
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['loss', 'norm-softmax']
    """

    def __init__(
        self,
        embedder: Embedder,
        num_classes: int,
        proxy_loss: ProxyLossName = "proxy-anchor",
        temperature: float | None = None,
        margin: float | None = None,
        scale: float | None = None,
        proxies_per_class: int | None = None,
        anti_collapse: float = 0.0,
        proxy_rate: float = 10.0,
        seed: int | None = None,
        class_labels: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        settings = {"temperature": temperature, "margin": margin, "scale": scale}
        self.check_settings(
            proxy_loss=proxy_loss,
            proxies_per_class=proxies_per_class,
            anti_collapse=anti_collapse,
            proxy_rate=proxy_rate,
            **settings,
        )
        function, given = choose_loss("proxy_loss", proxy_loss, PROXY_LOSSES, settings)

        def values(outputs: Outputs) -> Tensor:
            targets = label_targets(outputs.labels, known)
            return function(outputs.clean, targets, self.unit_proxies(), **given)

        def rate(outputs: Outputs) -> Tensor:
            of_all = losses.anti_collapse(self.unit_proxies())
            return of_all * ops.ones(ops.shape(outputs.labels), "float32")

        terms = [Term(proxy_loss, 1.0, values), Term("anti_collapse", anti_collapse, rate)]
        super().__init__(embedder, terms, **kwargs)
        known = self.expect_labels(num_classes, class_labels)
        # === Layers ===
        width = embedder.output_shape[-1]
        self.proxies = keras.layers.Embedding(
            num_classes * (proxies_per_class or 10 if proxy_loss == SEVERAL else 1),
            width,
            keras.initializers.RandomNormal(stddev=width**-0.5, seed=seed),
            dtype="float32",
            name="proxies",
        )
        self.proxies.build()

        # === Config ===
        self.num_classes = num_classes
        self.proxy_loss = proxy_loss
        self.temperature = temperature
        self.margin = margin
        self.scale = scale
        self.proxies_per_class = proxies_per_class
        self.anti_collapse = anti_collapse
        self.proxy_rate = proxy_rate
        self.seed = seed

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        loss, several = settings["proxy_loss"], settings["proxies_per_class"]
        values = {name: settings[name] for name in ("temperature", "margin", "scale")}
        function, given = choose_loss("proxy_loss", loss, PROXY_LOSSES, values)
        if several is not None and not (several >= 1 and (several == 1 or loss == SEVERAL)):
            raise UserError(
                f"proxies_per_class must be 1 or more, and 1 for losses other than {SEVERAL}, not "
                f"{several} for {loss}."
            )
        if not settings["proxy_rate"] > 0:
            raise UserError(f"proxy_rate must be above 0, not {settings['proxy_rate']}.")
        if not settings["anti_collapse"] >= 0:
            raise UserError(f"anti_collapse must be 0 or more, not {settings['anti_collapse']}.")
        # The function checks its settings, and computes nothing for symbolic tensors.
        proxies = keras.KerasTensor((2, 1, 2) if loss == SEVERAL else (2, 2))
        function(keras.KerasTensor((2, 2)), keras.KerasTensor((2,), "int32"), proxies, **given)

    def unit_proxies(self) -> Tensor:
        """Returns the proxies, float32 `[K, D]`, or `[K, M, D]` for soft-triple, of length 1."""
        proxies = ops.normalize(self.proxies.embeddings, axis=-1)
        if self.proxy_loss != SEVERAL:
            return proxies
        return ops.reshape(proxies, (self.num_classes, -1, proxies.shape[-1]))

    def rate_factors(self, backbone_rate: float = 1.0) -> list[float]:
        factors = super().rate_factors(backbone_rate)
        own = {id(weight) for weight in self.proxies.trainable_weights}
        return [
            self.proxy_rate if id(weight) in own else factor
            for weight, factor in zip(self.trainable_weights, factors, strict=True)
        ]
