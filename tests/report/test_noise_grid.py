import io

import matplotlib
import numpy as np
import pytest
from keras import ops
from PIL import Image

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, WindowShuffle
from nfl_keras.report.noise_grid import GAP, TITLE, noise_grid


@pytest.fixture(scope="module")
def photograph():
    y, x = np.mgrid[:160, :160]
    pixels = np.stack([y + 60, x + 60, 255 - (x + y) // 2], axis=-1).astype("float32")
    return pixels + np.float32(0.25)


def drawn(png):
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.getextrema()[-1] == (255, 255), "transparent"
        return np.asarray(image.convert("RGB"))


def pictures(png, side, columns):
    """Squares of `side` pixels where pictures should be, row by row."""
    pixels = drawn(png)
    height, width = pixels.shape[:2]
    assert width == GAP + columns * (side + GAP)
    rows, rest = divmod(height - GAP, side + TITLE)
    assert rest == 0
    for row in range(rows):
        top = GAP + row * (side + TITLE)
        for column in range(columns):
            left = GAP + column * (side + GAP)
            yield pixels[top : top + side, left : left + side]


def under(layer, photograph):
    noisy = ops.convert_to_numpy(layer(photograph[None], training=True))[0]
    return np.clip(np.round(noisy), 0, 255)


def test_pictures_are_pixel_for_pixel_what_the_layers_make(photograph):
    found = list(pictures(noise_grid(photograph, [2, 8, 160], [0.1, 0.0], seed=3), 160, 6))
    expected = [
        np.round(photograph),
        under(WindowShuffle(2, seed=3), photograph),
        under(WindowShuffle(8, seed=3), photograph),
        under(WindowShuffle(160, seed=3), photograph),
        under(GaussianInputNoise(25.5, seed=3), photograph),
        np.round(photograph),
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(np.float64(found[1]) - found[0]).max() <= 1
    assert np.abs(np.float64(found[2]) - found[0]).max() > 4


@pytest.mark.parametrize(
    ("count", "columns", "empty"), [(1, 1, 0), (6, 6, 0), (7, 4, 1), (13, 5, 2)]
)
def test_rows_are_of_nearly_equal_length(photograph, count, columns, empty):
    found = list(pictures(noise_grid(photograph, [1] * (count - 1)), 160, columns))
    for picture in found[:count]:
        np.testing.assert_array_equal(picture, np.round(photograph))
    assert [picture.min() for picture in found[count:]] == [255] * empty


def test_small_pictures_are_enlarged_without_smoothing(photograph):
    small = photograph[:50, :50]
    found = list(pictures(noise_grid(small, [3]), 200, 2))
    for picture, expected in zip(
        found, (small, under(WindowShuffle(3, seed=0), small)), strict=True
    ):
        enlarged = np.round(expected).repeat(4, axis=0).repeat(4, axis=1)
        np.testing.assert_array_equal(picture, enlarged)


def test_each_picture_has_its_title(photograph):
    def titles(windows, stddevs=()):
        pixels = drawn(noise_grid(photograph, windows, stddevs))
        below = pixels[GAP + 160 : GAP + 160 + TITLE]
        return [below[:, GAP + i * 172 : 160 + GAP + i * 172] for i in range(len(windows) + 1)]

    plain, two = titles([2])
    same, four = titles([4])
    assert plain.min() < 100
    assert (plain[0] == 255).all(), "the title touches the picture"
    assert (plain[-1] == 255).all(), "the title is cut off"
    np.testing.assert_array_equal(plain, same)
    assert np.any(two != four)


def test_the_same_arguments_give_the_same_bytes(photograph):
    assert noise_grid(photograph, [4], [0.2], seed=1) == noise_grid(photograph, [4], [0.2], seed=1)
    assert noise_grid(photograph, [4], seed=1) != noise_grid(photograph, [4], seed=2)


def test_a_users_style_changes_nothing(photograph):
    style = {"savefig.bbox": "tight", "savefig.facecolor": "black", "text.color": "white"}
    with matplotlib.rc_context({**style, "font.family": "serif", "savefig.transparent": True}):
        styled = noise_grid(photograph, [4])
    assert styled == noise_grid(photograph, [4])


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_pixels_of_any_type(photograph, dtype):
    whole = np.round(photograph)
    assert noise_grid(whole.astype(dtype), [4]) == noise_grid(whole, [4])


@pytest.mark.parametrize("stddev", [-0.1, float("nan"), float("inf")])
def test_a_deviation_that_cannot_be_is_refused(photograph, stddev):
    with pytest.raises(UserError, match=f"noise must be 0 or more, not {stddev}"):
        noise_grid(photograph, [], [stddev])


def test_a_window_that_cannot_be_is_refused(photograph):
    with pytest.raises(UserError, match="whole number of pixels, at least 1, not 0"):
        noise_grid(photograph, [0])
