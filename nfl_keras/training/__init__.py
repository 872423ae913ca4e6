"""Defines a training run: its settings, its folder, its progress and its evaluation."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nfl_keras.training.blending import ALPHAS, Blend, blend, choose_blend

__all__ = ["ALPHAS", "Blend", "blend", "choose_blend"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the settings of a run need none of it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("nfl_keras.training.blending"), name)
