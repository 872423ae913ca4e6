"""The papers' losses and those they are compared with.

Each is a function with one value per anchor, and a `keras.losses.Loss` class, but for those with
proxies, see `proxies/`.
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
from nfl_keras.losses.proxies import (
    anti_collapse,
    norm_softmax,
    proxy_anchor,
    soft_triple,
    stop_gradient_softmax,
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
    "anti_collapse",
    "class_discrimination",
    "contrastive",
    "epshn",
    "intra_class_diversity",
    "lifted_structure",
    "multi_similarity",
    "n_pairs",
    "noise_invariance",
    "noisy_classification",
    "norm_softmax",
    "proxy_anchor",
    "recall_at_k_surrogate",
    "soft_triple",
    "stop_gradient_softmax",
    "supervised_contrastive",
    "triplet",
]
