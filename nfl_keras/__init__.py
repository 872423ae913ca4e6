"""Noise feature learning in Keras 3: embeddings for fine-grained image search."""

from nfl_keras import data, layers, losses, models, retrieval
from nfl_keras.errors import UserError

# Registered, so that a run's models load with their optimizers.
from nfl_keras.training import optimizers as _optimizers  # noqa: F401
from nfl_keras.training import schedules as _schedules  # noqa: F401

__version__ = "0.1.0"

__all__ = ["UserError", "data", "layers", "losses", "models", "retrieval"]
