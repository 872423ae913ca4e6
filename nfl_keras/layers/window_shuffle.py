"""Defines a layer that permutes the pixels within each window of an image."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class WindowShuffle(keras.layers.Layer):
    """Permutes the pixels of each window of an image during training.

    The layer divides an image into windows of `window` x `window` pixels, from the upper left
    corner on. It permutes the pixels of each window of each image independently. All
    permutations are equally likely, and a pixel keeps its channels together. If `window` does
    not divide the height or the width, the windows at the right and at the bottom are smaller. A
    window larger than the image is the image.

    Each pixel draws a number, and the layer sorts the numbers of a window. On a CPU this takes
    as long as Gaussian noise for windows of up to 8 pixels, and twice as long for 56.

    Args:
        window: int >= 1, side of a window in pixels. With `1` the input is returned unchanged.
        seed: int or `None`. Two layers with one seed draw the same permutations. Defaults to
            `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[B, H, W, C]`.
        training: bool. If false, the input is returned unchanged. Defaults to `False`.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `window` is not an int of at least 1, or the input is not a batch of images.

    Example:

    >>> image = np.arange(16).reshape(1, 4, 4, 1)
    >>> shuffled = nfl.layers.WindowShuffle(2, seed=0)(image, training=True)
    >>> np.sort(np.ravel(shuffled[0, :2, :2]))
    array([0., 1., 4., 5.], dtype=float32)

    Reference: [NAFL] eq. 4, doi 10.32604/csse.2023.032047.
    """

    def __init__(self, window: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (isinstance(window, int) and window >= 1):
            raise UserError(f"window must be a whole number of pixels, at least 1, not {window!r}.")
        self.window = window
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if len(inputs.shape) != 4:
            raise UserError(
                f"WindowShuffle takes images [B, H, W, C], not a tensor of shape {inputs.shape}."
            )
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training or self.window == 1:
            return inputs
        shape = ops.shape(inputs)
        batch_size, height, width, channels = shape
        keys = keras.random.uniform(
            (batch_size, height, width), dtype="float32", seed=self.seed_generator
        )
        sources = [
            ops.concatenate(
                [_sources(keys, rows, columns, width) for columns in self._divided(width)], axis=2
            )
            for rows in self._divided(height)
        ]
        first_of_image = ops.arange(batch_size, dtype="int32")[:, None, None] * (height * width)
        sources = ops.concatenate(sources, axis=1) + first_of_image
        pixels = ops.reshape(inputs, (-1, channels))
        return ops.reshape(ops.take(pixels, ops.reshape(sources, (-1,)), axis=0), shape)

    def _divided(self, extent):
        """Returns the windows along one side of an image: `(first pixel, count, side)` by size."""
        count, left_over = extent // self.window, extent % self.window
        whole = (0, count, self.window)
        if isinstance(extent, int):
            partial = (count * self.window, 1, left_over)
            return [windows for windows in (whole, partial) if windows[1] and windows[2]]
        return [
            whole,
            (count * self.window, ops.minimum(left_over, 1), ops.maximum(left_over, 1)),
        ]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window, "seed": self.seed}


def _sources(keys, rows, columns, width):
    """Returns the position from which each pixel of some windows comes.

    Args:
        keys: float32 `[B, H, W]`, by which to sort the pixels of a window.
        rows: `(first, count, side)`: `count` rows of windows from the row `first` on, each
            window `side` pixels high.
        columns: `(first, count, side)`, the columns of windows.
        width: int W.

    Returns:
        int32 `[B, rows' pixels, columns' pixels]`, positions in 0 .. H W - 1.
    """
    (top, num_rows, high), (left, num_columns, wide) = rows, columns
    bottom, right = top + num_rows * high, left + num_columns * wide
    batch_size = ops.shape(keys)[0]
    windows = ops.reshape(
        keys[:, top:bottom, left:right], (batch_size, num_rows, high, num_columns, wide)
    )
    windows = ops.reshape(
        ops.transpose(windows, (0, 1, 3, 2, 4)), (batch_size, num_rows, num_columns, high * wide)
    )
    order = ops.cast(ops.argsort(windows, axis=-1), "int32")
    first_row = top + high * ops.arange(num_rows, dtype="int32")
    first_column = left + wide * ops.arange(num_columns, dtype="int32")
    corners = first_row[:, None] * width + first_column
    sources = corners[:, :, None] + order + order // wide * (width - wide)
    sources = ops.reshape(sources, (batch_size, num_rows, num_columns, high, wide))
    return ops.reshape(
        ops.transpose(sources, (0, 1, 3, 2, 4)), (batch_size, bottom - top, right - left)
    )
