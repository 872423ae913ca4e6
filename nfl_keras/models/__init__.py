"""The embedder, and the recipes that train it."""

from nfl_keras.models.backbones import (
    freeze_batch_norm,
    freeze_through,
    synchronize_batch_norm,
)
from nfl_keras.models.distributed_fit import DistributedFit
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner, Outputs, Term
from nfl_keras.models.noise_assisted import NoiseAssistedModel
from nfl_keras.models.noise_invariant import NoiseInvariantModel

__all__ = [
    "DistributedFit",
    "Embedder",
    "Learner",
    "NoiseAssistedModel",
    "NoiseInvariantModel",
    "Outputs",
    "Term",
    "freeze_batch_norm",
    "freeze_through",
    "synchronize_batch_norm",
]
