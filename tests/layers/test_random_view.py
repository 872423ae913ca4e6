import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import RandomView

STRENGTHS = {
    "translation": 0.3,
    "scaling": 1.5,
    "rotation": 40.0,
    "mirror": True,
    "contrast": 0.5,
    "saturation": 0.6,
    "hue": 0.2,
    "seed": 3,
}
STILL = {"translation": 0, "scaling": 1, "rotation": 0, "mirror": False}
PALE = {"contrast": 0, "saturation": 0, "hue": 0}
NOTHING = np.full((1, 8), 0.5, "float32")


def photographs(count=2, height=9, width=12):
    """Smooth images, of which no two are alike."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = generator.uniform(0.1, 0.5, (count, 2, 3)), generator.uniform(0, 6, (count, 3))
    phase = sum(
        grid[None, :, :, None] * waves[0][:, i, None, None] for i, grid in enumerate([y, x])
    )
    return (120 + 90 * np.sin(phase + waves[1][:, None, None])).astype("float32")


def reflected(place, extent):
    """Returns the pixel that a reflection with a doubled border shows outside an image."""
    place %= 2 * extent
    return place if place < extent else 2 * extent - 1 - place


def moved_by_loops(image, across, down, size, degrees, mirrored):
    """Computes each new pixel's old place, by the steps from old to new in reverse, in float64."""
    height, width = image.shape[:2]
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    result = np.zeros(image.shape)
    for row in range(height):
        for column in range(width):
            x, y = column - across * width - middle_x, row - down * height - middle_y
            x, y = x / size, y / size
            turn = complex(x, -y) * np.exp(-1j * math.radians(degrees))
            x, y = turn.real, -turn.imag
            x = (-x if mirrored else x) + middle_x
            y = y + middle_y
            left, top = math.floor(x), math.floor(y)
            for i, share_y in ((top, top + 1 - y), (top + 1, y - top)):
                for j, share_x in ((left, left + 1 - x), (left + 1, x - left)):
                    pixel = image[reflected(i, height), reflected(j, width)]
                    result[row, column] += share_y * share_x * pixel.astype("float64")
    return result


def recolored_by_loops(image, contrast, saturation, turns):
    """Contrast about the mean color, then saturation and hue of each pixel, in float64."""
    mean = image.reshape(-1, 3).mean(axis=0)
    result = np.zeros(image.shape)
    for index in np.ndindex(image.shape[:2]):
        red, green, blue = mean + contrast * (image[index] - mean)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        color = complex(
            0.596 * red - 0.274 * green - 0.322 * blue, 0.211 * red - 0.523 * green + 0.312 * blue
        )
        color *= saturation * np.exp(2j * math.pi * turns)
        axes = [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]
        result[index] = np.linalg.solve(axes, [luma, color.real, color.imag])
    return np.clip(result, 0, 255)


def test_keeps_every_promise_of_a_layer(check_layer):
    check_layer(RandomView, STRENGTHS, (2, 5, 6, 3))


@given(st.lists(st.floats(0, 1, width=32), min_size=5, max_size=5))
def test_pixels_come_from_where_the_loops_say(drawn):
    image = photographs(1)
    draws = NOTHING.copy()
    draws[0, :5] = drawn
    layer = RandomView(**{**STRENGTHS, **PALE})
    across, down, size, turn, _ = 2.0 * np.array(drawn) - 1
    expected = moved_by_loops(
        image[0], 0.3 * across, 0.3 * down, 1.5**size, 40 * turn, drawn[4] > 0.5
    )
    np.testing.assert_allclose(layer.render(image, draws)[0], expected, atol=0.02)


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_colors_are_those_of_the_loops(drawn):
    image = photographs(1)
    draws = NOTHING.copy()
    draws[0, 5:] = drawn
    contrast, saturation, hue = 2.0 * np.array(drawn) - 1
    expected = recolored_by_loops(
        image[0].astype("float64"), 1 + 0.5 * contrast, 1 + 0.6 * saturation, 0.2 * hue
    )
    found = RandomView(**{**STRENGTHS, **STILL}).render(image, draws)[0]
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_turning_is_counterclockwise_and_mirroring_swaps_left_and_right():
    image = np.zeros((1, 5, 5, 3), "float32")
    image[0, 2, 4] = 200
    layer = RandomView(0, 1, 90, True, 0, 0, 0)
    turned, mirrored = NOTHING.copy(), NOTHING.copy()
    turned[0, 3], mirrored[0, 4] = 1, 1
    assert np.argwhere(np.asarray(layer.render(image, turned))[0, ..., 0] > 100).tolist() == [
        [0, 2]
    ]
    np.testing.assert_allclose(layer.render(image, mirrored), image[:, :, ::-1], atol=1e-3)


def test_moving_is_to_the_right_and_down_and_scaling_enlarges():
    image = np.zeros((1, 9, 9, 3), "float32")
    image[0, 4, 5] = 200
    layer = RandomView(1 / 3, 2, 0, False, 0, 0, 0)
    for column, expected in ((0, [4, 8]), (1, [7, 5]), (2, [4, 6])):
        draws = NOTHING.copy()
        draws[0, column] = 1
        found = np.asarray(layer.render(image, draws))[0, ..., 0]
        assert np.unravel_index(found.argmax(), found.shape) == tuple(expected)


def test_without_any_strength_images_stay_as_they_are():
    images = photographs()
    found = RandomView(**STILL, **PALE, seed=0)(images, training=True)
    np.testing.assert_allclose(found, images, atol=1e-3)


def test_each_image_is_drawn_by_itself():
    images = np.repeat(photographs(1), 5, axis=0)
    layer = RandomView(seed=0)
    found = np.asarray(layer(images, training=True))
    assert len(np.unique(found.round(1), axis=0)) == 5
    draws = layer.draw(images, 7)
    alone = [layer.render(images[i : i + 1], draws[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(layer.render(images, draws), np.stack(alone), atol=1e-3)


def test_half_of_the_images_are_mirrored():
    images = np.repeat(photographs(1), 400, axis=0)
    found = np.asarray(RandomView(0, 1, 0, True, 0, 0, 0, seed=0)(images, training=True))
    as_they_are = np.abs(found - images).max(axis=(1, 2, 3)) < 0.01
    as_in_a_mirror = np.abs(found - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    assert np.all(as_they_are != as_in_a_mirror)
    assert abs(np.mean(as_in_a_mirror) - 0.5) < 4 * 0.5 / math.sqrt(400)


def test_colors_stay_in_range_and_grays_without_color():
    images = photographs(20)
    found = np.asarray(RandomView(**STRENGTHS)(images, training=True))
    assert found.min() >= 0
    assert found.max() <= 255
    gray = np.repeat(images[..., :1], 3, axis=-1)
    found = np.asarray(RandomView(**STRENGTHS)(gray, training=True))
    assert np.ptp(found, axis=-1).max() < 0.5
    assert np.abs(found - gray).max() > 10


def test_draws_afresh_at_each_call_and_alike_under_one_seed():
    images = photographs()
    first, second, other = RandomView(seed=5), RandomView(seed=5), RandomView(seed=6)
    draws = [np.asarray(first(images, training=True)) for _ in range(2)]
    for draw in draws:
        np.testing.assert_array_equal(draw, second(images, training=True))
    assert np.abs(draws[0] - draws[1]).max() > 1
    assert np.abs(draws[0] - np.asarray(other(images, training=True))).max() > 1


@pytest.mark.tensorflow("sizes are always known")
def test_sizes_that_are_known_only_as_images_come():
    import tensorflow as tf

    layer = RandomView(seed=0)
    state = layer.seed_generator.state.numpy()
    signature = [tf.TensorSpec([None, None, None, 3])]
    traced = tf.function(lambda images: layer(images, training=True), signature)
    images = photographs()
    found = traced(images)
    layer.seed_generator.state.assign(state)
    np.testing.assert_allclose(found, layer(images, training=True), atol=1e-3)


def test_computes_in_float32_under_mixed_precision():
    images = photographs()
    found = RandomView(seed=0, dtype="mixed_bfloat16")(images, training=True)
    expected = ops.cast(RandomView(seed=0)(images, training=True), "bfloat16")
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_array_equal(ops.cast(found, "float32"), ops.cast(expected, "float32"))


@pytest.mark.parametrize(
    ("name", "strength"),
    [("translation", -0.1), ("rotation", 181), ("contrast", 1.1), ("hue", float("nan"))],
)
def test_refuses_a_strength_out_of_its_range(name, strength):
    with pytest.raises(UserError, match=rf"{name} must be in 0\.\."):
        RandomView(**{name: strength})


@pytest.mark.parametrize("scaling", [0.9, float("inf"), float("nan")])
def test_refuses_a_scaling_below_1(scaling):
    with pytest.raises(UserError, match="scaling must be 1 or more"):
        RandomView(scaling=scaling)
