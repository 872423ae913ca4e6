"""The value that the terms of an objective are computed from."""

import dataclasses
from collections.abc import Mapping

from nfl_keras.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The embedder's outputs for the views of a batch.

    Args:
        embeddings: dict of view name to float32 `[B, D]`, unit vectors f.
        features: dict of view name to `[B, C]`, pooled features z.
        labels: integer `[B]`.
        training: bool.
        penalty: float32 scalar, the regularization losses of the embedder's layers. Defaults to
            `0.0`.
        draws: dict of name to `[B, ...]`, the random numbers that a view of each image was made
            with, for terms that need them. Defaults to none.
        projected: dict of view name to `[B, D]`, the embeddings before they are scaled to unit
            length. Defaults to none.
    """

    embeddings: Mapping[str, Tensor]
    features: Mapping[str, Tensor]
    labels: Tensor
    training: bool
    penalty: Tensor = 0.0
    draws: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    projected: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    @property
    def clean(self) -> Tensor:
        """The embeddings `[B, D]` of the first view, the clean one."""
        return next(iter(self.embeddings.values()))
