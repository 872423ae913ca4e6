"""Descriptors that need no training: functions from images or feature maps to unit vectors."""

from nfl_keras.retrieval.descriptors.average_pooling import average_pooling
from nfl_keras.retrieval.descriptors.crow import crow
from nfl_keras.retrieval.descriptors.describe import describe
from nfl_keras.retrieval.descriptors.feature_maps import feature_maps
from nfl_keras.retrieval.descriptors.hog import hog
from nfl_keras.retrieval.descriptors.lbp import lbp
from nfl_keras.retrieval.descriptors.pca_whitening import PCAWhitening
from nfl_keras.retrieval.descriptors.regional_maxima import regional_maxima
from nfl_keras.retrieval.descriptors.rmac import rmac
from nfl_keras.retrieval.descriptors.scda import scda
from nfl_keras.retrieval.descriptors.spoc import spoc

__all__ = [
    "PCAWhitening",
    "average_pooling",
    "crow",
    "describe",
    "feature_maps",
    "hog",
    "lbp",
    "regional_maxima",
    "rmac",
    "scda",
    "spoc",
]
