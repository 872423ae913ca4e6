"""Noise feature learning in Keras 3: embeddings for fine-grained image search."""

import importlib

from nfl_keras import layers, losses, models
from nfl_keras.errors import UserError

# Registered, so that a run's models load with their optimizers.
from nfl_keras.training import optimizers as _optimizers  # noqa: F401
from nfl_keras.training import schedules as _schedules  # noqa: F401

__version__ = "0.1.0"

__all__ = [
    "UserError",
    "data",
    "export_model",
    "layers",
    "losses",
    "models",
    "retrieval",
    "serving",
]


def __getattr__(name):
    # These need TensorFlow; layers, losses and models run without it on Keras' other backends.
    if name in ("data", "retrieval", "serving"):
        return importlib.import_module(f"nfl_keras.{name}")
    if name == "export_model":
        return importlib.import_module("nfl_keras.serving").export_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
