"""What the tests of several losses share: batches worked on in blocks, and what that holds."""

from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.losses import row_blocks


def _in_blocks_of(num_rows):
    most = row_blocks.MOST_ROWS_AT_ONCE if num_rows is None else 0
    return mock.patch.multiple(row_blocks, MOST_ROWS_AT_ONCE=most, BLOCK_ROWS=num_rows or 1)


@pytest.fixture(scope="session")
def in_blocks_of():
    """Function to a context in which so many rows are worked on at a time; `None` for all."""
    return _in_blocks_of


@pytest.fixture(params=[None, 1, 3], ids=["all at once", "rows singly", "rows by three"])
def blocks(request):
    """Runs a test with all rows at once, and in blocks."""
    with _in_blocks_of(request.param):
        yield


@pytest.fixture(scope="session")
def largest_tensor():
    """Function to the elements of the largest tensor in a function's graph, loops included."""

    def largest(function, *arguments):
        graph = tf.function(function, autograph=False).get_concrete_function(*arguments).graph
        definition = graph.as_graph_def(add_shapes=True)
        nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
        shapes = [shape for n in nodes for shape in n.attr["_output_shapes"].list.shape]
        return max(np.prod([d.size for d in s.dim]) for s in shapes if not s.unknown_rank)

    return largest
