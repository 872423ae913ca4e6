"""Defines functions with their own gradient for every backend of Keras."""

from collections.abc import Callable
from typing import Any

from keras import ops

from nfl_keras.typing import Tensor


def custom_gradient(function: Callable[..., tuple[Tensor, Callable]]) -> Callable[..., Tensor]:
    """Gives a function its own gradient, written in the same way for every backend.

    `keras.ops.custom_gradient` calls the gradient with other arguments under PyTorch than under
    TensorFlow and JAX. This function hides the difference. The backward pass keeps only the
    tensors that `gradient` uses. There is no second derivative.

    Args:
        function: function from float tensors to `(output, gradient)`. `gradient` is a function
            from the derivative by the output to the derivative by the inputs, a tensor or a
            tuple with one tensor for each input.

    Returns:
        Function from the same tensors to the output.

    Example:

    >>> from nfl_keras.losses.custom_gradient import custom_gradient
    >>> square = custom_gradient(lambda x: (x**2, lambda upstream: upstream * 2 * x))
    >>> float(square(keras.ops.convert_to_tensor(3.0)))
    9.0
    """

    @ops.custom_gradient
    def differentiable(*inputs: Tensor) -> tuple[Tensor, Callable]:
        # Without `stop_gradient`, TensorFlow's tape would keep all that `function` computes.
        output, gradient = function(*(ops.stop_gradient(x) for x in inputs))

        # PyTorch passes the derivative by name, after the inputs.
        def backward(*received: Tensor, upstream: Tensor | None = None) -> Any:
            return gradient(received[0] if upstream is None else upstream)

        return output, backward

    return differentiable
