"""An embedder as a SavedModel: the graph that reads images, its signatures, what lies beside it."""

from nfl_keras.export.saved_model import export_model

__all__ = ["export_model"]
