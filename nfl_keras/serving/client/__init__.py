"""The client of TensorFlow Serving and of the embedded server, which speak one API."""

from nfl_keras.serving.client.client import Client
from nfl_keras.serving.client.result import EmbeddingResult

__all__ = ["Client", "EmbeddingResult"]
