"""Defines the methods that a table can compare."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Method:
    """What one row of a table is measured of.

    Args:
        recipe: str, the recipe of a run. Defaults to `None`: nothing is trained.
        settings: mapping of settings of the run by the names of their flags. Defaults to none.
        descriptor: str, a name in `DESCRIPTORS`, of a method that trains nothing. Defaults to
            `None`.
    """

    recipe: str | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    descriptor: str | None = None


def _noise_invariant(d: float = 1, n: float = 1, s: float = 1, **others: Any) -> Method:
    """Leaves out the terms whose share is 0, and leaves the weights of the others alone."""
    weights = {"lambda_d": d, "lambda_n": n, "lambda_s": s}
    absent = {name: 0.0 for name, share in weights.items() if not share}
    return Method("noise-invariant", {**absent, **others})


def _noise_assisted(**settings: Any) -> Method:
    return Method("noise-assisted", {"pretext": None, **settings})


def _pair(loss: str, **settings: Any) -> Method:
    return Method("pair-loss", {"pair_loss": loss, **settings})


def _proxy(loss: str, **settings: Any) -> Method:
    return Method("proxy", {"proxy_loss": loss, **settings})


_SOFTMAX = {"lambda_softmax": 1.0}
METHODS: dict[str, Method] = {
    # [NIFL]
    "nifl": _noise_invariant(),
    "nifl-d": _noise_invariant(n=0, s=0),
    "nifl-s": _noise_invariant(d=0, n=0),
    "nifl-d-n": _noise_invariant(s=0),
    "nifl-d-s": _noise_invariant(n=0),
    "nifl-n-s": _noise_invariant(d=0),
    "nifl-features-without-noise": _noise_invariant(feature_noise=False),
    # [NAFL]
    "nafl": _noise_assisted(),
    "nafl-inter": _noise_assisted(lambda_intra=0.0),
    "nafl-none": _noise_assisted(noise="none"),
    "nafl-gaussian": _noise_assisted(noise="gaussian"),
    "nafl-rotation": _noise_assisted(pretext="rotation"),
    "nafl-exemplar": _noise_assisted(pretext="exemplar"),
    "nafl-jigsaw": _noise_assisted(pretext="jigsaw"),
    "softmax": _noise_assisted(lambda_inter=0.0, lambda_intra=0.0, **_SOFTMAX),
    "softmax-inter": _noise_assisted(lambda_intra=0.0, **_SOFTMAX),
    "softmax-inter-intra": _noise_assisted(**_SOFTMAX),
    # Losses of other papers
    "contrastive": _pair("contrastive"),
    "triplet-all": _pair("triplet", mining="all"),
    "triplet-semi-hard": _pair("triplet", mining="semi-hard"),
    "triplet-hard": _pair("triplet", mining="hard"),
    "lifted-structure": _pair("lifted-structure"),
    "n-pairs": _pair("n-pairs"),
    "epshn": _pair("epshn"),
    "multi-similarity": _pair("multi-similarity"),
    "supervised-contrastive": _pair("supervised-contrastive"),
    "recall-at-k": _pair("recall-at-k"),
    "norm-softmax": _proxy("norm-softmax"),
    "proxy-anchor": _proxy("proxy-anchor"),
    "soft-triple": _proxy("soft-triple"),
    "anti-collapse": _proxy("proxy-anchor", anti_collapse=0.1),
    "classification": Method("classification", {"pooling": "gem"}),
    "sgsl": Method(
        "classification", {"pooling": "gem", "lambda_sgsl": 1.0, "label_smoothing": 0.4}
    ),
    # Without training
    **{
        name: Method(descriptor=name)
        for name in ("frozen", "lbp", "hog", "spoc", "crow", "rmac", "scda")
    },
}
