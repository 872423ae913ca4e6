"""Defines the passes of chunks through a network under JAX."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras

from nfl_keras.models.chunks.changing_variables import changing_variables
from nfl_keras.typing import Tensor


def jax_chunks(
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
    variables = [(variable, variable.value) for variable in model.variables]
    images = jax.lax.stop_gradient(images)

    @jax.checkpoint
    def features_of_chunk(drawn: Sequence[Tensor], own: Tensor) -> tuple[list[Tensor], Any]:
        values = [*variables, *zip(seeds, drawn, strict=True)]
        with keras.StatelessScope(values, collect_losses=True) as scope:
            features = features_of(images[own])
        after = [[scope.get_current_value(v) for v in kind] for kind in (seeds, statistics)]
        return after[0], (features, after[1])

    drawn, (features, statistics_by_chunk) = jax.lax.scan(
        features_of_chunk, [variable.value for variable in seeds], positions
    )
    means = [values.mean(axis=0) for values in statistics_by_chunk]
    for variable, value in zip([*seeds, *statistics], [*drawn, *means], strict=True):
        variable.assign(value)
    return features
