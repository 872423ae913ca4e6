"""Datasets as index and encoded bytes, and the pipelines that turn them into batches."""

from nfl_keras.data.balanced_sampler import BalancedSampler
from nfl_keras.data.batches import balanced_batches, inference_batches, sampled_batches
from nfl_keras.data.color_jitter import ColorJitter
from nfl_keras.data.dataset import Dataset
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.integrity import bad_images, check_images
from nfl_keras.data.load import load, open_dataset
from nfl_keras.data.protocols import hold_out_classes, hold_out_validation

__all__ = [
    "BalancedSampler",
    "ColorJitter",
    "Dataset",
    "ImageSet",
    "bad_images",
    "balanced_batches",
    "check_images",
    "hold_out_classes",
    "hold_out_validation",
    "inference_batches",
    "load",
    "open_dataset",
    "sampled_batches",
]
