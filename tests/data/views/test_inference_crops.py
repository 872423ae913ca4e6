import numpy as np
import pytest
import tensorflow as tf
from upright import upright

from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.data.views.resize_shorter_side import resize_shorter_side


@pytest.mark.parametrize(
    ("height", "width", "starts"),
    [
        (20, 33, [(0, 6), (0, 0), (0, 13)]),
        (34, 20, [(7, 0), (0, 0), (14, 0)]),
        (20, 20, [(0, 0), (0, 0), (0, 0)]),
        (20, 400, [(0, 190), (0, 0), (0, 380)]),
    ],
)
def test_inference_crops_are_the_center_and_the_two_ends(noise, height, width, starts):
    image = noise(height, width)
    expected = [image[top : top + 20, left : left + 20] for top, left in starts]
    crops = inference_crops(image, 20)
    assert crops.dtype == tf.float32
    assert np.array_equal(crops, np.stack(expected))
    assert np.array_equal(inference_crops(image, 20, crops=1), expected[0][None])


@pytest.mark.parametrize(("height", "width"), [(75, 120), (120, 75), (9, 30)])
def test_inference_crops_are_of_the_resized_photograph(noise, height, width):
    image = noise(height, width)
    resized = resize_shorter_side(image, 16).numpy()
    crops = inference_crops(image, 16).numpy()
    assert crops.shape == (3, 16, 16, 3)
    assert np.array_equal(crops[1], resized[:16, :16])
    assert np.array_equal(crops[2], resized[-16:, -16:])
    margins = (np.array(resized.shape[:2]) - 16) // 2
    assert np.array_equal(crops[0], resized[margins[0] :, margins[1] :][:16, :16])


def by_definition(image, size, crops=3):
    """Crops of the whole photograph, resized to one shorter side."""
    resized = resize_shorter_side(image, size).numpy()
    room = np.array(resized.shape[:2]) - size
    starts = [room // 2, (0, 0), room][:crops]
    return np.stack([resized[y : y + size, x : x + size] for y, x in starts])


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize(
    "extent", [(1, 5), (5, 1), (1, 999), (999, 1), (3, 50), (63, 17), (9, 70), (40, 161), (901, 60)]
)
def test_the_crops_of_a_long_photograph_are_those_of_the_whole(noise, extent, crops):
    image = noise(*extent)
    squares = inference_crops(image, 16, crops).numpy()
    assert np.abs(squares - by_definition(image, 16, crops)).max() < 2e-3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extent", [(30, 47), (47, 30), (33, 33), (20, 101), (101, 20)])
def test_the_crops_of_a_turned_photograph_are_those_of_the_upright_one(noise, extent, orientation):
    image = noise(*extent)
    squares = inference_crops(image, 16, 3, orientation).numpy()
    expected = by_definition(upright(image, orientation), 16)
    assert np.abs(squares - expected).max() < 2e-3


def test_a_long_photograph_is_cut_in_a_dataset_too(noise):
    images = tf.data.Dataset.from_tensors(noise(2, 300))
    [squares] = images.map(lambda image: inference_crops(image, 16, 3, 6)).as_numpy_iterator()
    assert np.array_equal(squares, inference_crops(noise(2, 300), 16, 3, 6))
