"""Defines the passes of chunks through a network under PyTorch."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

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
    statistics, seeds = changing_variables(model)
    images, before = images.detach(), _values(statistics)

    def contexts() -> tuple[contextlib.AbstractContextManager[None], ...]:
        changing = [*statistics, *seeds]
        return contextlib.nullcontext(), _rewound(changing, _values(changing))

    features, statistics_by_chunk = [], []
    for own in positions:
        _assign(statistics, before)
        features.append(
            checkpoint(features_of, images[own], use_reentrant=False, context_fn=contexts)
        )
        statistics_by_chunk.append(_values(statistics))
    _assign(statistics, [torch.stack(v).mean(0) for v in zip(*statistics_by_chunk, strict=True)])
    return torch.stack(features)


@contextlib.contextmanager
def _rewound(variables: Sequence[keras.Variable], values: Sequence[Tensor]) -> Iterator[None]:
    after = _values(variables)
    _assign(variables, values)
    try:
        yield
    finally:
        _assign(variables, after)


def _values(variables: Sequence[keras.Variable]) -> list[Tensor]:
    return [variable.value.detach().clone() for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Sequence[Tensor]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
