import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import WindowShuffle


def numbered(batch_size, height, width, channels=1):
    """Images whose pixels are 0, 1, 2, ... through the batch, each channel 0.25 above the last."""
    pixels = np.arange(batch_size * height * width).reshape(batch_size, height, width, 1)
    return (pixels + 0.25 * np.arange(channels)).astype("float32")


def shuffled(images, window, seed=0):
    return ops.convert_to_numpy(WindowShuffle(window, seed)(images, training=True))


def windows(height, width, window):
    """Returns the slices of all windows of an image, also of the smaller ones at its border."""
    starts = itertools.product(range(0, height, window), range(0, width, window))
    return [np.s_[y : min(y + window, height), x : min(x + window, width)] for y, x in starts]


def test_keeps_every_promise_of_a_layer(check_layer):
    check_layer(WindowShuffle, {"window": 3, "seed": 5}, (2, 7, 6, 3))


@given(
    batch_size=st.integers(1, 3),
    height=st.integers(1, 11),
    width=st.integers(1, 11),
    channels=st.integers(1, 4),
    window=st.integers(1, 12),
    dtype=st.sampled_from(["float32", "float16", "bfloat16", "uint8", "int32"]),
    seed=st.integers(0, 2**31 - 1),
)
def test_each_window_keeps_its_pixels(batch_size, height, width, channels, window, dtype, seed):
    shape = (batch_size, height, width, channels)
    # Of few values, so that pixels agree in some channels and not in others.
    images = np.random.default_rng(seed).integers(0, 6, shape).astype("float32")
    layer = WindowShuffle(window, seed)
    found = ops.convert_to_numpy(layer(ops.cast(images, dtype), training=True))
    assert found.shape == shape
    assert found.dtype == np.float32
    for image, result in zip(images, found, strict=True):
        for place in windows(height, width, window):
            before = sorted(map(tuple, image[place].reshape(-1, channels)))
            assert sorted(map(tuple, result[place].reshape(-1, channels))) == before


@pytest.mark.tensorflow("sizes are always known")
@pytest.mark.parametrize("window", [2, 3, 10])
def test_sizes_that_are_known_only_as_images_come(window):
    import tensorflow as tf

    layer = WindowShuffle(window, seed=0)
    state = layer.seed_generator.state
    initial = np.asarray(state)
    signature = [tf.TensorSpec([None, None, None, 3])]
    traced = tf.function(lambda images: layer(images, training=True), signature)
    for shape in [(2, 6, 6, 3), (1, 7, 8, 3), (3, 9, 4, 3), (2, 1, 5, 3), (1, 1, 1, 3)]:
        state.assign(initial)
        images = numbered(*shape)
        np.testing.assert_array_equal(traced(images), shuffled(images, window))


@pytest.mark.tensorflow("compiles by XLA in a way of its own")
def test_windows_keep_their_pixels_in_code_that_xla_compiles():
    import tensorflow as tf

    images = numbered(2, 7, 8)
    layer = WindowShuffle(3, seed=0)
    traced = tf.function(lambda images: layer(images, training=True), jit_compile=True)
    found = traced(images).numpy()
    assert np.any(found != images)
    for place in windows(7, 8, 3):
        before, after = (x[:, *place].reshape(2, -1) for x in (images, found))
        np.testing.assert_array_equal(np.sort(after), before)


@pytest.mark.parametrize(("height", "width", "window"), [(2, 2, 2), (1, 3, 3), (5, 4, 4)])
def test_all_permutations_are_equally_likely(height, width, window):
    count = 6000
    # The last window: whole, a strip of one row, and the one row that 4 leaves of 5.
    place = windows(height, width, window)[-1]
    found = shuffled(numbered(count, height, width), window)[:, *place].reshape(count, -1)
    orders, counts = np.unique(np.argsort(found, axis=1), axis=0, return_counts=True)
    number = len(list(itertools.permutations(range(found.shape[1]))))
    assert len(orders) == number
    statistic = np.sum((counts - count / number) ** 2) / (count / number)
    # Of chi-squared with n degrees of freedom: mean n, variance 2 n.
    assert abs(statistic - (number - 1)) < 4 * np.sqrt(2 * (number - 1))


@pytest.mark.parametrize("window", [4, 7])
def test_each_pixel_goes_to_each_place_of_its_window_equally_often(window):
    count, size = 3000, window**2
    found = shuffled(numbered(count, window, window), window).reshape(count, size)
    sources = found.astype(int) - size * np.arange(count)[:, None]
    counts = np.zeros((size, size))
    np.add.at(counts, (np.arange(size), sources), 1)
    statistic = np.sum((counts - count / size) ** 2) / (count / size)
    freedom = (size - 1) ** 2
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)


def test_windows_and_images_are_permuted_independently():
    count = 4000
    found = shuffled(numbered(count, 4, 4), 2)
    orders = [np.argsort(found[:, *place].reshape(count, 4), axis=1) for place in windows(4, 4, 2)]
    orders.append(np.roll(orders[0], 1, axis=0))
    for one, other in itertools.combinations(orders, 2):
        # The same permutation by chance: 1 in 24.
        agree = np.mean(np.all(one == other, axis=1))
        assert abs(agree - 1 / 24) < 4 * np.sqrt(1 / 24 * 23 / 24 / count)
        where = 4 * one[:, 0] + other[:, 0]
        counts = np.bincount(where, minlength=16)
        assert np.sum((counts - count / 16) ** 2) / (count / 16) < 15 + 4 * np.sqrt(30)


def test_no_pixel_stays_by_rule():
    found = shuffled(numbered(200, 6, 6), 3)
    assert np.all(np.any(found != numbered(200, 6, 6), axis=0))


def test_channels_stay_together():
    found = shuffled(numbered(2, 9, 8, 4), 4)
    np.testing.assert_array_equal(found[..., 1:] - found[..., :1] - 0.25 * np.arange(1, 4), 0)


def test_a_window_larger_than_the_image_is_the_image():
    images = numbered(2, 3, 5)
    found = shuffled(images, 8)
    np.testing.assert_array_equal(np.sort(found.reshape(2, 15)), images.reshape(2, 15))
    assert len({tuple(order) for order in np.argsort(found.reshape(2, 15), axis=1)}) == 2


def test_shuffles_afresh_at_each_call_and_alike_under_one_seed():
    images = numbered(2, 8, 8)
    first, second, other = WindowShuffle(4, 5), WindowShuffle(4, 5), WindowShuffle(4, 6)
    draws = [np.asarray(first(images, training=True)) for _ in range(3)]
    for draw in draws:
        np.testing.assert_array_equal(draw, second(images, training=True))
    assert np.any(draws[0] != draws[1])
    assert np.any(draws[1] != draws[2])
    assert np.any(draws[0] != other(images, training=True))


@pytest.mark.tensorflow("a compiled function keeps the state of its generators")
def test_shuffles_afresh_at_each_call_of_a_compiled_function():
    import tensorflow as tf

    layer = WindowShuffle(4, seed=1)
    traced = tf.function(lambda images: layer(images, training=True))
    draws = {np.asarray(traced(numbered(1, 8, 8))).tobytes() for _ in range(3)}
    assert len(draws) == 3


def test_values_are_those_of_the_input_under_mixed_precision():
    images = numbered(2, 8, 8) % 256
    layer = WindowShuffle(4, seed=0, dtype="mixed_bfloat16")
    found = layer(images, training=True)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_array_equal(ops.cast(found, "float32"), shuffled(images, 4))


def test_gradient_goes_back_to_where_pixels_came_from(gradients_of):
    images = numbered(2, 5, 7, 2)
    layer = WindowShuffle(3, seed=0)
    weights = ops.convert_to_tensor(images)
    [gradient] = gradients_of(lambda x: ops.sum(layer(x, training=True) * weights), images)
    expected = np.zeros_like(images)
    sources = shuffled(images, 3)[..., 0].astype(int)
    expected.reshape(-1, 2)[sources.ravel()] = images.reshape(-1, 2)
    np.testing.assert_array_equal(gradient, expected)


def test_window_1_is_the_identity():
    images = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype("float32")
    layer = WindowShuffle(1, seed=0)
    state = np.asarray(layer.seed_generator.state)
    np.testing.assert_array_equal(layer(images, training=True), images)
    np.testing.assert_array_equal(layer.seed_generator.state, state)


@pytest.mark.parametrize("window", [0, -2, 2.5, "4", None])
def test_refuses_a_window_that_is_no_number_of_pixels(window):
    with pytest.raises(UserError, match="window must be a whole number of pixels"):
        WindowShuffle(window)


def test_refuses_what_is_no_batch_of_images():
    with pytest.raises(UserError, match=r"takes images \[B, H, W, C\], not a tensor of shape"):
        WindowShuffle(2)(np.zeros((4, 4, 3), "float32"), training=True)
