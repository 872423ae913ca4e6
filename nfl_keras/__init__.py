"""Noise feature learning in Keras 3: embeddings for fine-grained image search."""

import importlib

from nfl_keras import layers, losses, models, optimizers
from nfl_keras.errors import UserError

__version__ = "0.1.0"

__all__ = [
    "UserError",
    "data",
    "distribution",
    "export_model",
    "layers",
    "losses",
    "models",
    "optimizers",
    "retrieval",
    "serving",
]


def __getattr__(name):
    # These need TensorFlow; layers, losses and models run without it on Keras' other backends.
    if name in ("data", "distribution", "retrieval", "serving"):
        return importlib.import_module(f"nfl_keras.{name}")
    if name == "export_model":
        return importlib.import_module("nfl_keras.export").export_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
