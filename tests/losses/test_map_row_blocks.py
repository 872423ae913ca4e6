import threading
import time
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.losses.map_row_blocks import map_row_blocks

MODULE = "nfl_keras.losses.map_row_blocks"
MATRIX = np.arange(60, dtype="float32").reshape(20, 3)


def rows_of(matrix, sizes):
    """Returns a function that takes rows of `matrix` and appends their number to `sizes`."""

    def function(positions):
        assert keras.backend.standardize_dtype(positions.dtype) == "int32"
        sizes.append(positions.shape[0])
        return ops.take(matrix, positions, axis=0)

    return function


@given(st.integers(1, 20), st.integers(1, 21))
def test_all_rows_come_back_in_their_order(num_rows, block_rows):
    sizes = []
    with mock.patch.multiple(MODULE, MOST_ROWS_AT_ONCE=0, BLOCK_ROWS=block_rows):
        rows = map_row_blocks(rows_of(ops.convert_to_tensor(MATRIX), sizes), num_rows, 3)
    np.testing.assert_array_equal(rows, MATRIX[:num_rows])
    assert max(sizes) <= block_rows
    assert sum(sizes) < num_rows + len(sizes)


@pytest.mark.parametrize(("num_rows", "expected"), [(1, [1]), (2048, [2048]), (2049, [228] * 9)])
def test_blocks_have_at_most_256_rows_above_2048_rows(num_rows, expected):
    sizes = []
    rows = map_row_blocks(rows_of(np.ones((num_rows, 1), "float32"), sizes), num_rows, 1)
    assert rows.shape == (num_rows, 1)
    # JAX traces one block for all.
    assert sizes == (expected[:1] if keras.config.backend() == "jax" else expected)


@mock.patch.multiple(MODULE, MOST_ROWS_AT_ONCE=0, BLOCK_ROWS=3)
def test_inside_a_traced_function(compiled):
    def in_blocks(matrix):
        return map_row_blocks(rows_of(matrix, sizes), ops.shape(matrix)[0], 3)

    sizes = []
    found = compiled(in_blocks)(ops.convert_to_tensor(MATRIX))
    np.testing.assert_array_equal(found, MATRIX)
    assert set(sizes) == {3}


@pytest.mark.tensorflow("other backends trace with sizes that are known")
@mock.patch.multiple(MODULE, MOST_ROWS_AT_ONCE=0, BLOCK_ROWS=3)
def test_rows_are_one_block_where_their_number_is_not_known():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])], autograph=False)
    def traced(matrix):
        return map_row_blocks(rows_of(matrix, sizes), ops.shape(matrix)[0], 3)

    sizes = []
    for num_rows in (1, 7, 20):
        np.testing.assert_array_equal(traced(MATRIX[:num_rows]), MATRIX[:num_rows])
    assert sizes == [None]


@pytest.mark.tensorflow("a scan of JAX or PyTorch has no parallel iterations")
@mock.patch.multiple(MODULE, MOST_ROWS_AT_ONCE=0, BLOCK_ROWS=2)
def test_a_block_begins_after_the_one_before_has_ended():
    at_work, most, lock = 0, 0, threading.Lock()

    def slow(positions):
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.005)
        with lock:
            at_work -= 1
        return positions[:, None].astype("float32")

    @tf.function(autograph=False)
    def traced():
        def function(positions):
            # Not stateful: stateful operations follow one another in any loop.
            rows = tf.numpy_function(slow, [positions], tf.float32, stateful=False)
            return tf.ensure_shape(rows, (2, 1))

        return map_row_blocks(function, 20, 1)

    np.testing.assert_array_equal(traced()[:, 0], np.arange(20))
    assert most == 1
