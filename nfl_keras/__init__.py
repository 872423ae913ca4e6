"""Noise feature learning in Keras 3: embeddings for fine-grained image search.

The rooms load on first use, so that a command which needs neither Keras nor TensorFlow starts
without them.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nfl_keras import (
        bulk,
        data,
        distribution,
        gallery,
        layers,
        losses,
        models,
        optimizers,
        report,
        retrieval,
        serving,
        training,
    )
    from nfl_keras.errors import UserError
    from nfl_keras.export.saved_model import export_model
    from nfl_keras.gallery.gallery import Gallery
    from nfl_keras.training.load_embedder import load

__version__ = "0.1.0"

__all__ = [
    "Gallery",
    "UserError",
    "__version__",
    "bulk",
    "data",
    "distribution",
    "export_model",
    "gallery",
    "layers",
    "load",
    "losses",
    "models",
    "optimizers",
    "report",
    "retrieval",
    "serving",
    "training",
]

_DEFINED_IN = {
    "Gallery": "nfl_keras.gallery.gallery",
    "UserError": "nfl_keras.errors",
    "export_model": "nfl_keras.export.saved_model",
    "load": "nfl_keras.training.load_embedder",
}


def __getattr__(name: str) -> Any:
    if name in _DEFINED_IN:
        return getattr(importlib.import_module(_DEFINED_IN[name]), name)
    if name in __all__:
        return importlib.import_module(f"nfl_keras.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Keras loads a saved model only if the model's classes are registered, which happens when their
# modules are imported. Whoever imports Keras first may call `keras.saving.load_model` next.
if "keras" in sys.modules:
    for _room in ("layers", "losses", "models", "optimizers"):
        importlib.import_module(f"nfl_keras.{_room}")
