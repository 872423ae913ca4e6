"""The export of an embedder as a SavedModel, with what a server needs beside it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nfl_keras.export.saved_model import export_model

__all__ = ["export_model"]


def __getattr__(name: str) -> Any:
    if name == "export_model":  # imports TensorFlow, which `--help` does not need
        from nfl_keras.export.saved_model import export_model

        return export_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
