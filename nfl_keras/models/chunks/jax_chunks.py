"""Defines the passes of chunks through a network under JAX."""

from collections.abc import Callable, Sequence

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
    state = changing_variables(model)
    weights = [(variable, variable.value) for variable in model.variables]
    images = jax.lax.stop_gradient(images)

    @jax.checkpoint
    def pass_on(values: Sequence[Tensor], own: Tensor) -> tuple[list[Tensor], Tensor]:
        given = [*weights, *zip(state, values, strict=True)]
        with keras.StatelessScope(given, collect_losses=True) as scope:
            features = features_of(images[own])
        return [scope.get_current_value(variable) for variable in state], features

    after, features = jax.lax.scan(pass_on, [variable.value for variable in state], positions)
    for variable, value in zip(state, after, strict=True):
        variable.assign(value)
    return features
