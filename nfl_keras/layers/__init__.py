"""Keras layers that change images and features at random during training."""

from nfl_keras.layers.gaussian_input_noise import GaussianInputNoise
from nfl_keras.layers.pooling import Pooling
from nfl_keras.layers.random_view import RandomView
from nfl_keras.layers.unit_feature_noise import UnitFeatureNoise
from nfl_keras.layers.white_balance_emulation import WhiteBalanceEmulation
from nfl_keras.layers.window_shuffle import WindowShuffle

__all__ = [
    "GaussianInputNoise",
    "Pooling",
    "RandomView",
    "UnitFeatureNoise",
    "WhiteBalanceEmulation",
    "WindowShuffle",
]
