"""Pair-based losses of other papers, which the tables compare with."""

from nfl_keras.losses.pairs.contrastive import ContrastiveLoss, contrastive
from nfl_keras.losses.pairs.epshn import EPSHNLoss, epshn
from nfl_keras.losses.pairs.lifted_structure import LiftedStructureLoss, lifted_structure
from nfl_keras.losses.pairs.multi_similarity import MultiSimilarityLoss, multi_similarity
from nfl_keras.losses.pairs.n_pairs import NPairsLoss, n_pairs
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.recall_at_k_surrogate import (
    RecallAtKSurrogateLoss,
    recall_at_k_surrogate,
)
from nfl_keras.losses.pairs.supervised_contrastive import (
    SupervisedContrastiveLoss,
    supervised_contrastive,
)
from nfl_keras.losses.pairs.triplet import Mining, TripletLoss, triplet

__all__ = [
    "ContrastiveLoss",
    "EPSHNLoss",
    "LiftedStructureLoss",
    "Mining",
    "MultiSimilarityLoss",
    "NPairsLoss",
    "PairLoss",
    "RecallAtKSurrogateLoss",
    "SupervisedContrastiveLoss",
    "TripletLoss",
    "contrastive",
    "epshn",
    "lifted_structure",
    "multi_similarity",
    "n_pairs",
    "recall_at_k_surrogate",
    "supervised_contrastive",
    "triplet",
]
