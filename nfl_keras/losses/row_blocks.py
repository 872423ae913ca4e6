"""What is computed for each row of a matrix too large to hold: a block of rows at a time."""

import numpy as np
from keras import ops

# Up to this many rows, all of them are one block. Above, and where the number of rows is known
# while tracing, blocks have at most `BLOCK_ROWS`.
MOST_ROWS_AT_ONCE = 2048
BLOCK_ROWS = 256


def by_row_blocks(function, num_rows, width):
    """Computes rows in blocks that follow one another, so that one block's memory is needed.

    Nothing may be differentiated through this: it is for the inside of a custom gradient,
    where the backward pass computes each block anew.

    Args:
        function: from positions of rows, int32 `[R]`, to float32 `[R, width]`. A position may
            be asked for more than once.
        num_rows: int, or a scalar tensor where it is not known while tracing; all rows are
            then one block.
        width: int.

    Returns:
        float32 `[num_rows, width]`.
    """
    if not isinstance(num_rows, int) or num_rows <= MOST_ROWS_AT_ONCE:
        return function(ops.arange(num_rows, dtype="int32"))
    num_blocks = -(-num_rows // BLOCK_ROWS)
    block_rows = -(-num_rows // num_blocks)
    positions = np.minimum(np.arange(num_blocks * block_rows, dtype="int32"), num_rows - 1)

    # A scan's iterations never overlap, as those of a map may. Its outputs must look like what
    # it carries, and each block is carried to no end but that.
    def step(_, of_block):
        rows = function(of_block)
        return rows, rows

    start = ops.zeros((block_rows, width), dtype="float32")
    positions = ops.convert_to_tensor(positions.reshape(num_blocks, block_rows))
    _, blocks = ops.scan(step, start, positions)
    return ops.reshape(blocks, (-1, width))[:num_rows]
