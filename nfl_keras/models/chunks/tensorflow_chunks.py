"""Defines the passes of chunks through a network under TensorFlow."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
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
    statistics, seeds = changing_variables(model)
    changing = [*statistics, *seeds]
    learned = [weight.value for weight in model.trainable_weights]

    # TensorFlow would ask for the gradients of frozen weights, too, if it were not given these.
    @tf.custom_gradient
    def features(images: Tensor, *weights: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        before = _values(changing)

        def features_of_chunk(own: Tensor) -> Tensor:
            _assign(statistics, before[: len(statistics)])
            return features_of(tf.gather(images, own))

        def features_and_statistics(own: Tensor) -> tuple[Tensor, list[Tensor]]:
            return features_of_chunk(own), _values(statistics)

        def gradient(upstream: Tensor, variables: Sequence[tf.Variable] = ()) -> Any:
            def add(sums: Sequence[Tensor], chunk: Sequence[Tensor]) -> list[Tensor]:
                own, gradient_of_own = chunk
                with tf.GradientTape() as tape:
                    outputs = features_of_chunk(own)
                parts = tape.gradient(
                    outputs, learned, gradient_of_own, tf.UnconnectedGradients.ZERO
                )
                return [total + part for total, part in zip(sums, parts, strict=True)]

            after = _values(changing)
            _assign(changing, before)
            zeros = [tf.zeros_like(weight) for weight in weights]
            sums = tf.foldl(add, (positions, upstream), zeros, parallel_iterations=1)
            _assign(changing, after)
            return (None, *sums), [None] * len(variables)

        with _caching_device_restored():
            by_chunk, statistics_by_chunk = tf.map_fn(
                features_and_statistics,
                positions,
                parallel_iterations=1,
                fn_output_signature=(model.compute_dtype, [v.dtype for v in statistics]),
            )
        _assign(statistics, [tf.reduce_mean(values, axis=0) for values in statistics_by_chunk])
        return by_chunk, gradient

    return features(images, *map(tf.identity, learned))


@contextlib.contextmanager
def _caching_device_restored() -> Iterator[None]:
    """Restores the caching device, which `tf.map_fn` sets and leaves set where its function fails.

    While it is set, TensorFlow refuses to enter the scope of any `tf.distribute` strategy.
    """
    scope = tf.compat.v1.get_variable_scope()
    before = scope.caching_device
    try:
        yield
    finally:
        if not tf.executing_eagerly():
            scope.set_caching_device(before)


def _values(variables: Sequence[keras.Variable]) -> list[Tensor]:
    return [tf.identity(variable.value) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Sequence[Tensor]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
