"""Defines the computation of a matrix too large to hold, one block of rows after another."""

from collections.abc import Callable

import numpy as np
from keras import ops

from nfl_keras.typing import Tensor

# Up to this many rows are one block. More rows form blocks of at most `BLOCK_ROWS` rows.
MOST_ROWS_AT_ONCE = 2048
BLOCK_ROWS = 256


def map_row_blocks(
    function: Callable[[Tensor], Tensor], num_rows: int | Tensor, width: int
) -> Tensor:
    """Computes rows block by block, so that only one block needs memory at a time.

    Use it only inside a custom gradient, whose backward pass computes each block again: it has
    no gradient of its own.

    Args:
        function: function from positions of rows, int32 `[R]`, to float32 `[R, width]`. A
            position may occur more than once.
        num_rows: int. All rows are one block if it is a scalar tensor, unknown while tracing.
        width: int.

    Returns:
        float32 `[num_rows, width]`.

    Example:

    >>> from nfl_keras.losses.map_row_blocks import map_row_blocks
    >>> table = keras.ops.arange(8, dtype="float32")[:, None]
    >>> map_row_blocks(lambda positions: 10 * keras.ops.take(table, positions, axis=0), 3, 1)[:, 0]
    <tf.Tensor: shape=(3,), dtype=float32, numpy=array([ 0., 10., 20.], dtype=float32)>
    """
    if not isinstance(num_rows, int) or num_rows <= MOST_ROWS_AT_ONCE:
        return function(ops.arange(num_rows, dtype="int32"))
    num_blocks = -(-num_rows // BLOCK_ROWS)
    block_rows = -(-num_rows // num_blocks)
    positions = np.minimum(np.arange(num_blocks * block_rows, dtype="int32"), num_rows - 1)

    # The iterations of a scan never overlap; the iterations of a map may. A scan must carry a
    # value like its output, and nothing reads the carried value.
    def step(_: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
        rows = function(block)
        return rows, rows

    start = ops.zeros((block_rows, width), dtype="float32")
    positions = ops.convert_to_tensor(positions.reshape(num_blocks, block_rows))
    _, blocks = ops.scan(step, start, positions)
    return ops.reshape(blocks, (-1, width))[:num_rows]
