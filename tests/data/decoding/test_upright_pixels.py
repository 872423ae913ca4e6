"""Pixels of photographs, upright, outside of a graph."""

import io

import numpy as np
import pytest
from PIL import Image
from upright import upright

from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.decoding.upright_pixels import upright_pixels

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def encoded(file_format, orientation):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(file, file_format, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_pixels_are_those_that_pillow_turns(orientation, file_format):
    # A TIFF is converted by Pillow, a PNG is decoded by TensorFlow.
    found = upright_pixels(encoded(file_format, orientation), "photograph")
    np.testing.assert_array_equal(found, upright(PIXELS, orientation))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"text", "not an image"), (encoded("PNG", 6)[:150], "truncated or damaged")],
)
def test_what_cannot_be_decoded_is_refused_with_the_reason(content, reason):
    with pytest.raises(PhotographError, match=reason) as caught:
        upright_pixels(content, "photograph")
    assert caught.value.reason == reason
