"""The recipe of one pair-based loss, for comparison."""

from typing import Any, Literal

import keras

from nfl_keras import losses
from nfl_keras.errors import UserError
from nfl_keras.models.choose_loss import choose_loss
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.learner import Learner
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.term import Term
from nfl_keras.typing import Tensor

PairLossName = Literal[
    "contrastive",
    "triplet",
    "lifted-structure",
    "n-pairs",
    "epshn",
    "multi-similarity",
    "supervised-contrastive",
    "recall-at-k",
]
PAIR_LOSSES: dict[str, type[losses.PairLoss]] = {
    "contrastive": losses.ContrastiveLoss,
    "triplet": losses.TripletLoss,
    "lifted-structure": losses.LiftedStructureLoss,
    "n-pairs": losses.NPairsLoss,
    "epshn": losses.EPSHNLoss,
    "multi-similarity": losses.MultiSimilarityLoss,
    "supervised-contrastive": losses.SupervisedContrastiveLoss,
    "recall-at-k": losses.RecallAtKSurrogateLoss,
}


@keras.saving.register_keras_serializable(package="nfl_keras")
class PairLossModel(Learner):
    """Learning by one pair-based loss of the clean embeddings, such as the triplet loss.

    Compile it with an optimizer alone and train it by `fit` with integer labels, in batches with
    several images of each class (`nfl.data.balanced_batches`). `fit` reports `loss`, and the same
    under the name of the pair-based loss.

    Args:
        embedder: `nfl.models.Embedder`.
        pair_loss: "contrastive", "triplet", "lifted-structure", "n-pairs", "epshn",
            "multi-similarity", "supervised-contrastive" or "recall-at-k"; in Python also a
            `nfl.losses.PairLoss` with settings of its own. Defaults to `"triplet"`.
        margin: float > 0, of triplet and lifted-structure. Defaults to `None`, the default of the
            loss.
        temperature: float > 0, of n-pairs, epshn, supervised-contrastive and recall-at-k. Defaults
            to `None`, the default of the loss.
        mining: Triplets of triplet, "all", "semi-hard" or "hard". Defaults to `None`, the default
            of the loss.
        **kwargs: as for `keras.Model`.

    Raises:
        UserError: if there is no such loss, or a setting is out of its range or not of this loss.

    Example:

    >>> pixels = keras.Input((None, None, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(8, 3)(pixels))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=16)
    >>> model = nfl.models.PairLossModel(embedder, "triplet", margin=0.3, mining="hard")
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> images, labels = np.zeros((4, 16, 16, 3), "float32"), np.array([0, 0, 1, 1])
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['loss', 'triplet']
    """

    def __init__(
        self,
        embedder: Embedder,
        pair_loss: PairLossName | losses.PairLoss = "triplet",
        margin: float | None = None,
        temperature: float | None = None,
        mining: losses.Mining | None = None,
        **kwargs: Any,
    ) -> None:
        made = _make_loss(pair_loss, margin=margin, temperature=temperature, mining=mining)

        def values(outputs: Outputs) -> Tensor:
            return made.per_anchor(outputs.labels, outputs.clean)

        def anchors(labels: Tensor) -> Tensor:
            return made.anchors(labels, labels)

        super().__init__(embedder, [Term(made.name, 1.0, values, anchors)], **kwargs)
        # === Config ===
        self.pair_loss = pair_loss
        self.margin = margin
        self.temperature = temperature
        self.mining = mining

    @classmethod
    def check_settings(cls, **settings: Any) -> None:
        _make_loss(**settings)


def _make_loss(pair_loss, **settings):
    if isinstance(pair_loss, losses.PairLoss):
        names = [name for name, value in settings.items() if value is not None]
        if names:
            raise UserError(f"{' and '.join(names)} must be set in the pair_loss itself.")
        return pair_loss
    loss, given = choose_loss("pair_loss", pair_loss, PAIR_LOSSES, settings)
    return loss(**given, name=pair_loss)
