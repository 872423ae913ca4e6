"""Noise feature learning in Keras 3: embeddings for fine-grained image search."""

from nfl_keras import data, layers, losses, models, retrieval
from nfl_keras.errors import UserError

__version__ = "0.1.0"

__all__ = ["UserError", "data", "layers", "losses", "models", "retrieval"]
