"""Serving of exported models over gRPC and REST, and the client that asks them."""

from nfl_keras.serving.client import Client, EmbeddingResult
from nfl_keras.serving.server import Batching, Limits, Server, Tls

__all__ = ["Batching", "Client", "EmbeddingResult", "Limits", "Server", "Tls"]
