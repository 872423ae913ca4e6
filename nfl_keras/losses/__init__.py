"""The papers' losses: functions with one value per anchor, and `keras.losses.Loss` classes."""

from nfl_keras.losses.class_discrimination import ClassDiscriminationLoss, class_discrimination
from nfl_keras.losses.intra_class_diversity import IntraClassDiversityLoss, intra_class_diversity
from nfl_keras.losses.noise_invariance import NoiseInvarianceLoss, noise_invariance
from nfl_keras.losses.noisy_classification import NoisyClassificationLoss, noisy_classification

__all__ = [
    "ClassDiscriminationLoss",
    "IntraClassDiversityLoss",
    "NoiseInvarianceLoss",
    "NoisyClassificationLoss",
    "class_discrimination",
    "intra_class_diversity",
    "noise_invariance",
    "noisy_classification",
]
