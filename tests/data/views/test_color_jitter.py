import colorsys

import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.data.views.color_jitter import ColorJitter
from nfl_keras.errors import UserError

NONE = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}


@pytest.fixture(scope="module")
def image():
    """Colors away from the ends of the range, from gray, and from pure ones."""
    rng = np.random.default_rng(0)
    return np.float32(
        [
            [255 * np.array(colorsys.hsv_to_rgb(*rng.uniform([0, 0.2, 0.4], [1, 0.6, 0.6])))]
            for _ in range(40)
        ]
    )


def hsv(image):
    pixels = np.float64(image).reshape(-1, 3) / 255
    return np.array([colorsys.rgb_to_hsv(*pixel) for pixel in pixels])


def many(image, count=300, **strengths):
    jitter = ColorJitter(**NONE | strengths)
    return [jitter.recolor(image, (7, seed)).numpy() for seed in range(count)]


def assert_uniform(drawn, low, high):
    drawn = np.sort(drawn)
    assert low - 1e-3 <= drawn[0]
    assert drawn[-1] <= high + 1e-3
    distance = np.abs((drawn - low) / (high - low) - np.linspace(0, 1, len(drawn))).max()
    assert distance < 1.63 / np.sqrt(len(drawn))  # Kolmogorov and Smirnov, 1 %


def test_brightness_is_a_shift_of_all_pixels(image):
    shifts = []
    for view in many(image, brightness=0.1):
        shift = view - image
        assert np.ptp(shift) < 1e-3
        shifts.append(shift.mean() / 255)
    assert_uniform(shifts, -0.1, 0.1)


def test_contrast_stretches_about_each_channels_mean(image):
    mean = image.mean((0, 1))
    factors = []
    for view in many(image, contrast=0.4):
        factor = ((view - mean) * (image - mean)).sum() / ((image - mean) ** 2).sum()
        assert np.abs(mean + factor * (image - mean) - view).max() < 1e-2
        factors.append(factor)
    assert_uniform(factors, 0.6, 1.4)


def test_saturation_keeps_hue_and_value(image):
    before = hsv(image)
    factors = []
    for view in many(image, saturation=0.5):
        after = hsv(view)
        assert np.abs(after[:, [0, 2]] - before[:, [0, 2]]).max() < 1e-4
        assert np.ptp(after[:, 1] / before[:, 1]) < 1e-4
        factors.append((after[:, 1] / before[:, 1]).mean())
    assert_uniform(factors, 0.5, 1.5)


def test_hue_is_a_turn_of_the_circle(image):
    before = hsv(image)
    turns = []
    for view in many(image, hue=0.1):
        after = hsv(view)
        assert np.abs(after[:, 1:] - before[:, 1:]).max() < 1e-4
        turn = (after[:, 0] - before[:, 0] + 0.5) % 1 - 0.5
        assert np.ptp(turn) < 1e-4
        turns.append(turn.mean())
    assert_uniform(turns, -0.1, 0.1)


def test_strengths_are_drawn_apart(image):
    # A shift moves the mean, and a stretch does not: both can be read off one view.
    mean, deviation = image.mean(), (image - image.mean((0, 1))).std()
    views = many(image, brightness=0.1, contrast=0.1)
    shifts = [view.mean() - mean for view in views]
    factors = [(view - view.mean((0, 1))).std() / deviation for view in views]
    assert abs(np.corrcoef(shifts, factors)[0, 1]) < 4 / np.sqrt(len(views))


def test_of_no_strength_colors_stay(image):
    assert np.abs(many(image, 1)[0] - image).max() < 1e-4


@pytest.mark.parametrize("jitter", [ColorJitter(), ColorJitter(1, 1, 1, 0.5)])
def test_pixels_stay_in_0_to_255(noise, jitter):
    image = np.float32(noise(9, 11))
    image[0] = np.array([0, 0, 255])
    for seed in range(30):
        view = jitter.recolor(image, (0, seed))
        assert view.dtype == tf.float32
        assert view.shape == image.shape
        assert np.isfinite(view).all()
        assert view.numpy().min() >= 0
        assert view.numpy().max() <= 255


def test_the_same_seed_changes_colors_alike(noise):
    image = np.float32(noise(9, 11))
    views = [ColorJitter().recolor(image, seed).numpy() for seed in [(1, 2), (1, 2), (1, 3)]]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


def test_it_commutes_with_mirroring(noise):
    image = np.float32(noise(9, 11))
    for seed in range(5):
        view = ColorJitter().recolor(image, (0, seed)).numpy()
        mirrored = ColorJitter().recolor(image[:, ::-1], (0, seed)).numpy()
        assert np.abs(view[:, ::-1] - mirrored).max() < 1e-3


def test_it_runs_in_a_dataset(noise):
    image = np.float32(noise(9, 11))
    seeds = tf.data.Dataset.range(4)
    views = seeds.map(lambda seed: ColorJitter().recolor(image, (3, seed)))
    for seed, view in enumerate(views.as_numpy_iterator()):
        assert np.allclose(view, ColorJitter().recolor(image, (3, seed)), atol=1e-3)


def test_it_describes_itself():
    assert ColorJitter(0.25, 0.1, 0, 0.05).describe() == (
        "color jitter: brightness 0.25, contrast 0.1, saturation 0, hue 0.05"
    )


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), float("inf"), "0.2", None])
def test_other_strengths_are_refused(name, strength):
    with pytest.raises(UserError, match=f"{name} must be a number in 0..(1|0.5), not "):
        ColorJitter(**{name: strength})
