"""Defines the passes of chunks through a network under PyTorch."""

import contextlib
from collections.abc import Callable, Iterator

import keras
import torch
from torch.utils.checkpoint import checkpoint

from nfl_keras.models.chunks.changing_variables import changing_variables
from nfl_keras.typing import Tensor


def torch_chunks(
    features_of: Callable[[Tensor], Tensor], model: keras.Model, images: Tensor, positions: Tensor
) -> Tensor:
    """Computes features of chunks one after the other, as `features_in_chunks` describes.

    Args:
        features_of: function from `[n, ...]` to features `[n, C]`.
        model: `keras.Model` that has the layers of `features_of`.
        images: `[B, ...]`.
        positions: int32 `[K, n]`, the images of each chunk.

    Returns:
        `[K, n, C]`, in the compute dtype of the model.
    """
    state = changing_variables(model)
    images = images.detach()

    def contexts() -> tuple[contextlib.AbstractContextManager[None], ...]:
        values = _values(state)
        return contextlib.nullcontext(), _rewound(state, values)

    return torch.stack(
        [
            checkpoint(features_of, images[own], use_reentrant=False, context_fn=contexts)
            for own in positions
        ]
    )


def _values(state: list[keras.Variable]) -> list[Tensor]:
    return [variable.value.clone() for variable in state]


@contextlib.contextmanager
def _rewound(state: list[keras.Variable], values: list[Tensor]) -> Iterator[None]:
    after = _values(state)
    for variable, value in zip(state, values, strict=True):
        variable.assign(value)
    try:
        yield
    finally:
        for variable, value in zip(state, after, strict=True):
            variable.assign(value)
