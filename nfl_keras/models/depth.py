"""Defines how deep in a backbone a weight lies, in blocks below its output."""

import itertools
import re

import keras

from nfl_keras.models.freezing import learning_blocks

# "block7a_dwconv" and "stack3_block1_2_conv" are of the blocks "block7" and "stack3".
_BLOCK = re.compile(r".*?(?:block|stage|stack|layer)s?_?\d+")


def blocks_above(backbone: keras.Model) -> dict[int, int]:
    """Counts the blocks of a backbone that come after each weight.

    A block is a block of a transformer, or a stage of a network of convolutions. What comes before
    the first one is one block, and so is what comes after the last.

    Args:
        backbone: `keras.Model` whose layers stand in the order in which data flows.

    Returns:
        Dict of the `id` of a weight to int, 0 for the weights of the last block.
    """
    groups = [
        [layer for _, layer in group]
        for _, group in itertools.groupby(learning_blocks(backbone), lambda named: _block(named[0]))
    ]
    return {
        id(weight): above
        for above, layers in enumerate(reversed(groups))
        for layer in layers
        for weight in layer.weights
    }


def _block(name: str) -> str:
    if "/" in name:
        return name
    found = _BLOCK.match(name)
    return found.group() if found else ""
