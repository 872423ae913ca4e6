"""Defines the embedder, and the recipes that train it."""

from nfl_keras.models.classification_model import ClassificationModel
from nfl_keras.models.classifier import Classifier
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.freezing import (
    freeze_batch_norm,
    freeze_through,
    synchronize_batch_norm,
)
from nfl_keras.models.learner import Learner
from nfl_keras.models.lora import enable_lora, merged_lora
from nfl_keras.models.noise_assisted_model import NoiseAssistedModel
from nfl_keras.models.noise_invariant_model import NoiseInvariantModel
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.pair_loss_model import PairLossModel
from nfl_keras.models.pca_projection import start_with_pca
from nfl_keras.models.proxy_model import ProxyModel
from nfl_keras.models.term import Measure, Term

__all__ = [
    "ClassificationModel",
    "Classifier",
    "Embedder",
    "Learner",
    "Measure",
    "NoiseAssistedModel",
    "NoiseInvariantModel",
    "Outputs",
    "PairLossModel",
    "ProxyModel",
    "Term",
    "enable_lora",
    "freeze_batch_norm",
    "freeze_through",
    "merged_lora",
    "start_with_pca",
    "synchronize_batch_norm",
]
