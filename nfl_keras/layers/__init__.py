"""Keras layers that change images and features at random, while training only."""

from nfl_keras.layers.gaussian_input_noise import GaussianInputNoise
from nfl_keras.layers.unit_feature_noise import UnitFeatureNoise
from nfl_keras.layers.white_balance_emulation import WhiteBalanceEmulation

__all__ = ["GaussianInputNoise", "UnitFeatureNoise", "WhiteBalanceEmulation"]
