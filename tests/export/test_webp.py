import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.export.chunks import MAX_CHUNKS
from nfl_keras.export.webp import still_image


def still(content):
    return still_image(tf.constant(content)).numpy()


def pixels(content):
    return tf.io.decode_image(content, expand_animations=False).numpy()


def as_pillow_has_it(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def chunks(content):
    """(kind, data) of each."""
    found, position = [], 12
    while position < len(content):
        (length,) = struct.unpack("<I", content[position + 4 : position + 8])
        found.append((content[position : position + 4], content[position + 8 :][:length]))
        position += 8 + length + length % 2
    return found


@pytest.mark.parametrize("kind", ["WebP", "lossless WebP", "transparent WebP", "moving WebP"])
def test_the_pixels_are_those_that_pillow_shows(photographs, kind):
    content = photographs[kind]
    shown = still(content)
    assert len(shown) == len(content)
    np.testing.assert_array_equal(pixels(shown)[..., :3], as_pillow_has_it(content))


def test_a_plain_one_is_left_as_it_is(photographs):
    assert still(photographs["WebP"]) == photographs["WebP"]


def test_profiles_and_exif_before_the_pixels_are_passed_over(encoded, picture):
    content = encoded(picture(), "WEBP", icc_profile=b"x" * 333, exif=b"Exif\0\0MM\0*")
    assert [kind for kind, _ in chunks(content)] == [b"VP8X", b"ICCP", b"VP8 ", b"EXIF"]
    np.testing.assert_array_equal(pixels(still(content)), as_pillow_has_it(content))


def test_transparency_is_left_out(encoded, picture):
    image = picture()
    image.putalpha(Image.fromarray(np.arange(960, dtype=np.uint8).reshape(24, 40)))
    for options in ({}, {"save_all": True, "append_images": [image.transpose(0)]}):
        for lossless in (False, True):
            content = encoded(image, "WEBP", exact=True, lossless=lossless, **options)
            assert pixels(still(content)).shape == (24, 40, 3)
    content = encoded(image, "WEBP", exact=True)
    np.testing.assert_array_equal(pixels(still(content)), as_pillow_has_it(content))


@pytest.mark.parametrize("kind", ["WebP, cut off", "moving WebP, cut off"])
def test_one_that_is_cut_off_stays_so(damaged, kind):
    with pytest.raises(tf.errors.InvalidArgumentError):
        pixels(still(damaged[kind]))


def test_nothing_is_left_of_one_without_pixels(photographs, damaged):
    content = photographs["moving WebP"]
    for bad in (damaged["WebP without chunks"], content[:40], content[:12]):
        assert still(bad) == b""
    filler = b"XMP " + struct.pack("<I", 0)
    content = photographs["WebP"]
    assert len(still(content[:12] + 1000 * filler + content[12:])) == len(content) + 8_000
    assert still(content[:12] + MAX_CHUNKS * filler + content[12:]) == b""
