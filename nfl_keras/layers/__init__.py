"""Keras layers that add the papers' noise, while training only."""

from nfl_keras.layers.gaussian_input_noise import GaussianInputNoise
from nfl_keras.layers.unit_feature_noise import UnitFeatureNoise

__all__ = ["GaussianInputNoise", "UnitFeatureNoise"]
