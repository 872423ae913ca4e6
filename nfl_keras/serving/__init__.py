"""Serves exported models over gRPC and REST, and has a client that imports no server."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nfl_keras.serving.client.client import Client
    from nfl_keras.serving.client.embedding_result import EmbeddingResult
    from nfl_keras.serving.server.server import Server
    from nfl_keras.serving.server.settings import Batching, Limits, Tls

__all__ = ["Batching", "Client", "EmbeddingResult", "Limits", "Server", "Tls"]

_MODULES = {
    "Batching": "server.settings",
    "Client": "client.client",
    "EmbeddingResult": "client.embedding_result",
    "Limits": "server.settings",
    "Server": "server.server",
    "Tls": "server.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
