"""The trained embedder as a service: exported once, served anywhere, asked over gRPC."""

from nfl_keras.serving.client import Client, EmbeddingResult
from nfl_keras.serving.saved_model import export_model
from nfl_keras.serving.server import Batching, Limits, Server, Tls

__all__ = [
    "Batching",
    "Client",
    "EmbeddingResult",
    "Limits",
    "Server",
    "Tls",
    "export_model",
]
