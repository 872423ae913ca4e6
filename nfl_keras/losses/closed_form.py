"""Functions that bring their own gradient."""

from keras import ops


def closed_form(function):
    """`keras.ops.custom_gradient` with one way to write the gradient for every backend.

    Of what `function` computes, only what `gradient` uses is kept for the backward pass. There is
    no second derivative.

    Args:
        function: from float tensors to `(output, gradient)`, where `gradient` goes from the
            derivative by the output to those by the inputs: a tensor, or one per input in a
            tuple.

    Returns:
        Function from the same tensors to the output.
    """

    @ops.custom_gradient
    def with_gradient(*inputs):
        # TensorFlow's tape would keep all that is computed here from inputs that it watches.
        output, gradient = function(*(ops.stop_gradient(x) for x in inputs))

        # TensorFlow and JAX pass the derivative alone, PyTorch passes it by name after the inputs.
        def backward(*received, upstream=None):
            return gradient(received[0] if upstream is None else upstream)

        return output, backward

    return with_gradient
