"""Defines gradients of a function under each of Keras' backends."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


def gradients(
    function: Callable[[Sequence[Tensor]], tuple[Tensor, Any]], inputs: Sequence[Tensor]
) -> tuple[list[Tensor | None], Any]:
    """Computes the gradients of a function by its inputs.

    Args:
        function: from a list of tensors to a scalar, and to whatever else is to be returned.
        inputs: list of float tensors.

    Returns:
        `(gradients, other)`: a list of tensors, each of the shape of its input or `None` where
        the scalar does not depend on it; and what else the function returned.

    Raises:
        UserError: if Keras' backend has no gradients.

    Example:

    >>> from nfl_keras.retrieval.explaining.gradients import gradients
    >>> [by_x], other = gradients(lambda x: (keras.ops.sum(x[0] ** 2), "as well"), [tf.ones(2)])
    >>> by_x.numpy().tolist(), other
    ([2.0, 2.0], 'as well')
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            value, other = function(inputs)
        return tape.gradient(value, inputs), other
    if backend == "jax":
        import jax

        return jax.grad(function, has_aux=True)(list(inputs))
    if backend == "torch":
        import torch

        leaves = [x.detach().requires_grad_() for x in inputs]
        value, other = function(leaves)
        return list(torch.autograd.grad(value, leaves, allow_unused=True)), other
    raise UserError(
        f"Keras' backend {backend!r} computes no gradients, which this pooling is explained by; "
        f"set KERAS_BACKEND to tensorflow, jax or torch."
    )
