import numpy as np
import pytest
import tensorflow as tf

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
