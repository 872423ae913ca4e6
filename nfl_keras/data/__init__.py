"""Datasets as index and encoded bytes, and the pipelines that turn them into batches."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nfl_keras.data.batches.balanced_batches import balanced_batches, sampled_batches
    from nfl_keras.data.batches.balanced_sampler import BalancedSampler
    from nfl_keras.data.batches.inference_batches import inference_batches
    from nfl_keras.data.dataset import Dataset
    from nfl_keras.data.decoding.check_images import bad_images, check_images
    from nfl_keras.data.hold_out import hold_out_classes, hold_out_pairs, hold_out_validation
    from nfl_keras.data.image_set import ImageSet
    from nfl_keras.data.sources.open_dataset import load, open_dataset
    from nfl_keras.data.views.color_jitter import ColorJitter

__all__ = [
    "BalancedSampler",
    "ColorJitter",
    "Dataset",
    "ImageSet",
    "bad_images",
    "balanced_batches",
    "check_images",
    "hold_out_classes",
    "hold_out_pairs",
    "hold_out_validation",
    "inference_batches",
    "load",
    "open_dataset",
    "sampled_batches",
]

# Names are imported when they are asked for, since most of them import TensorFlow. No module here
# may have the name of a function that it defines: Python would give the module for it.
_MODULES = {
    "BalancedSampler": "batches.balanced_sampler",
    "ColorJitter": "views.color_jitter",
    "Dataset": "dataset",
    "ImageSet": "image_set",
    "bad_images": "decoding.check_images",
    "balanced_batches": "batches.balanced_batches",
    "check_images": "decoding.check_images",
    "hold_out_classes": "hold_out",
    "hold_out_pairs": "hold_out",
    "hold_out_validation": "hold_out",
    "inference_batches": "batches.inference_batches",
    "load": "sources.open_dataset",
    "open_dataset": "sources.open_dataset",
    "sampled_batches": "batches.balanced_batches",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"nfl_keras.data.{_MODULES[name]}"), name)
