import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.data.views.resize_shorter_side import resize_shorter_side


@pytest.mark.parametrize(
    ("height", "width", "size", "expected"),
    [
        (300, 400, 64, (64, 85)),
        (400, 300, 64, (85, 64)),
        (333, 333, 64, (64, 64)),
        (20, 400, 16, (16, 320)),
        (400, 20, 16, (320, 16)),
        (7, 9, 64, (64, 82)),
        (1, 1, 64, (64, 64)),
        (1, 20, 5, (5, 100)),
        (64, 100, 64, (64, 100)),
        (48, 71, 64, (64, 95)),
        (71, 48, 64, (95, 64)),
    ],
)
def test_the_shorter_side_is_exact_and_the_aspect_kept(noise, height, width, size, expected):
    resized = resize_shorter_side(noise(height, width), size)
    assert resized.shape == (*expected, 3)
    assert resized.dtype == tf.float32
    assert resized.numpy().min() >= 0
    assert resized.numpy().max() <= 255.001


@pytest.mark.parametrize(
    ("height", "width", "size"), [(90, 120, 32), (120, 61, 17), (20, 31, 60), (33, 400, 32)]
)
def test_resizing_is_pillows_antialiased_bilinear(noise, height, width, size):
    pixels = noise(height, width)
    resized = resize_shorter_side(pixels, size).numpy()
    to = (resized.shape[1], resized.shape[0])
    for channel in range(3):
        plane = Image.fromarray(pixels[..., channel].astype(np.float32))
        expected = np.asarray(plane.resize(to, Image.Resampling.BILINEAR))
        assert np.abs(resized[..., channel] - expected).max() < 0.05


def test_a_photograph_of_the_right_size_is_left_alone(noise):
    pixels = noise(32, 45)
    assert np.array_equal(resize_shorter_side(pixels, 32), np.float32(pixels))
