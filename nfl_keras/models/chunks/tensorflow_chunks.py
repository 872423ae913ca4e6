"""Defines the passes of chunks through a network under TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from nfl_keras.models.chunks.changing_variables import changing_variables
from nfl_keras.typing import Tensor


def tensorflow_chunks(
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

    @tf.custom_gradient
    def features(images: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        before = [tf.identity(variable.value) for variable in state]

        def gradient(upstream: Tensor, variables: Sequence[tf.Variable] = ()) -> Any:
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)

            def add(sums: Sequence[Tensor], chunk: Sequence[Tensor]) -> list[Tensor]:
                own, gradient_of_own = chunk
                with tf.GradientTape() as tape:
                    outputs = features_of(tf.gather(images, own))
                parts = tape.gradient(
                    outputs, variables, gradient_of_own, tf.UnconnectedGradients.ZERO
                )
                return [total + part for total, part in zip(sums, parts, strict=True)]

            zeros = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
            return None, tf.foldl(add, (positions, upstream), zeros, parallel_iterations=1)

        by_chunk = tf.map_fn(
            lambda own: features_of(tf.gather(images, own)),
            positions,
            parallel_iterations=1,
            fn_output_signature=model.compute_dtype,
        )
        return by_chunk, gradient

    return features(images)
