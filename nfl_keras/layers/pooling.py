"""Defines the layer that makes one feature vector of an image's maps or tokens."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

METHODS = ("mean", "max", "gem", "cls", "cls+mean")


@keras.saving.register_keras_serializable(package="nfl_keras")
class Pooling(keras.layers.Layer):
    """Pools feature maps over their places, or tokens over their patches.

    Tokens may begin with others than those of patches: the class token, then registers. Registers
    are left out of every method, and the class token of all but the two that name it.

    `"gem"` is the generalized mean `(mean(max(x, 1e-6) ** p)) ** (1 / p)` of Radenović et al. The
    exponent p is a weight of the layer, one for all channels. It begins at 3 and is trained.

    Args:
        method: `"mean"`, `"max"`, `"gem"`, `"cls"` (the class token), or `"cls+mean"` (the class
            token and the mean of the patches, side by side). Defaults to `"mean"`.
        prefix_tokens: int, number of tokens before those of patches, the class token being the
            first. Defaults to `0`, no class token either.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float `[B, H, W, C]`, or `[B, T, C]` with T > `prefix_tokens`.

    Returns:
        `[B, C]`, or `[B, 2 C]` for `"cls+mean"`, in the layer's compute dtype.

    Raises:
        UserError: if there is no such method, or if it takes a class token and there is none.

    Example:

    >>> tokens = np.array([[[9.0], [7.0], [1.0], [3.0]]])  # class, register, two patches
    >>> print(np.array(nfl.layers.Pooling("cls+mean", prefix_tokens=2)(tokens)))
    [[9. 2.]]

    Reference: Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation",
    arXiv 1711.02512, section 3.2.
    """

    def __init__(self, method: str = "mean", prefix_tokens: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if method not in METHODS:
            raise UserError(f"there is no pooling {method!r}; take one of {', '.join(METHODS)}.")
        if method.startswith("cls") and not prefix_tokens:
            raise UserError(
                f"pooling {method!r} takes the class token, and there is none; "
                f"take 'mean', 'max' or 'gem'."
            )
        self.method = method
        self.prefix_tokens = prefix_tokens

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.method == "gem":
            self.exponent = self.add_weight(
                shape=(), initializer=keras.initializers.Constant(3.0), name="exponent"
            )

    def call(self, inputs: Tensor) -> Tensor:
        patches = inputs if len(inputs.shape) == 4 else inputs[:, self.prefix_tokens :]
        places = tuple(range(1, len(inputs.shape) - 1))
        if self.method == "cls":
            return inputs[:, 0]
        if self.method == "max":
            return ops.max(patches, axis=places)
        if self.method == "gem":
            # In float32, since powers of numbers of low precision are far off.
            exponent = ops.cast(self.exponent, "float32")
            powers = ops.power(ops.maximum(ops.cast(patches, "float32"), 1e-6), exponent)
            pooled = ops.power(ops.mean(powers, axis=places), 1 / exponent)
            return ops.cast(pooled, self.compute_dtype)
        pooled = ops.mean(patches, axis=places)
        if self.method == "cls+mean":
            return ops.concatenate([inputs[:, 0], pooled], axis=-1)
        return pooled

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        # Keras' trace under JAX cannot take the maximum over an unknown number of places.
        batch, channels = input_shape[0], input_shape[-1]
        if self.method == "cls+mean" and channels is not None:
            channels *= 2
        return batch, channels

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "method": self.method,
            "prefix_tokens": self.prefix_tokens,
        }
