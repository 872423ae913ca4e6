"""The papers' losses and those they are compared with.

Each is a function with one value per anchor, and a `keras.losses.Loss` class.
"""

from nfl_keras.losses.class_discrimination import ClassDiscriminationLoss, class_discrimination
from nfl_keras.losses.intra_class_diversity import IntraClassDiversityLoss, intra_class_diversity
from nfl_keras.losses.noise_invariance import NoiseInvarianceLoss, noise_invariance
from nfl_keras.losses.noisy_classification import NoisyClassificationLoss, noisy_classification
from nfl_keras.losses.pairs import (
    ContrastiveLoss,
    EPSHNLoss,
    LiftedStructureLoss,
    Mining,
    MultiSimilarityLoss,
    NPairsLoss,
    PairLoss,
    RecallAtKSurrogateLoss,
    SupervisedContrastiveLoss,
    TripletLoss,
    contrastive,
    epshn,
    lifted_structure,
    multi_similarity,
    n_pairs,
    recall_at_k_surrogate,
    supervised_contrastive,
    triplet,
)

__all__ = [
    "ClassDiscriminationLoss",
    "ContrastiveLoss",
    "EPSHNLoss",
    "IntraClassDiversityLoss",
    "LiftedStructureLoss",
    "Mining",
    "MultiSimilarityLoss",
    "NPairsLoss",
    "NoiseInvarianceLoss",
    "NoisyClassificationLoss",
    "PairLoss",
    "RecallAtKSurrogateLoss",
    "SupervisedContrastiveLoss",
    "TripletLoss",
    "class_discrimination",
    "contrastive",
    "epshn",
    "intra_class_diversity",
    "lifted_structure",
    "multi_similarity",
    "n_pairs",
    "noise_invariance",
    "noisy_classification",
    "recall_at_k_surrogate",
    "supervised_contrastive",
    "triplet",
]
