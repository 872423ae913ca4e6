"""The client of TensorFlow Serving and of the embedded server, which have the same API."""

from nfl_keras.serving.client.client import Client
from nfl_keras.serving.client.embedding_result import EmbeddingResult

__all__ = ["Client", "EmbeddingResult"]
