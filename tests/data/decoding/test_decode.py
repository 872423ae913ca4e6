import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.data.decoding.decode import decode


def pillow_pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def smooth(noise, height, width):
    return np.asarray(Image.fromarray(noise(6, 8)).resize((width, height), Image.BICUBIC))


# ---- decode ----


@pytest.mark.parametrize("options", [{}, {"optimize": True}])
@pytest.mark.parametrize("shorter_side", [None, 4])
def test_png_decodes_exactly(encoded, noise, options, shorter_side):
    pixels = noise(13, 17)
    image = decode(encoded(pixels, "PNG", **options), shorter_side)
    assert image.dtype == tf.uint8
    assert np.array_equal(image, pixels)


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 95}])
def test_jpeg_decodes_as_pillow_does(encoded, noise, options, channels):
    # A few levels apart, since TensorFlow takes the fast inverse transform of libjpeg.
    pixels = smooth(noise, 60, 80)[..., :channels]
    content = encoded(pixels if channels == 3 else pixels[..., 0], "JPEG", **options)
    difference = np.int32(decode(content)) - pillow_pixels(content)
    assert difference.shape == (60, 80, 3)
    assert np.abs(difference).max() <= 12
    assert np.abs(difference).mean() < 2


def test_gray_photographs_get_three_equal_channels(encoded, noise):
    gray = noise(13, 17)[..., 0]
    assert np.array_equal(decode(encoded(gray, "PNG")), np.stack([gray] * 3, axis=-1))


def test_transparency_is_dropped(encoded, noise):
    pixels = np.concatenate([noise(13, 17), noise(13, 17, seed=1)[..., :1]], axis=-1)
    assert np.array_equal(decode(encoded(pixels, "PNG")), pixels[..., :3])


def test_gray_with_transparency(encoded, noise):
    pixels = noise(13, 17)[..., :2]
    assert np.array_equal(decode(encoded(pixels, "PNG")), np.stack([pixels[..., 0]] * 3, axis=-1))


def test_of_a_moving_picture_the_first_frame_is_taken(noise):
    frames = [Image.fromarray(noise(13, 17, seed)).quantize(32) for seed in range(3)]
    for file_format in ("GIF", "PNG"):
        buffer = io.BytesIO()
        frames[0].save(buffer, file_format, save_all=True, append_images=frames[1:])
        image = decode(buffer.getvalue())
        assert image.shape == (13, 17, 3)
        assert np.array_equal(image, frames[0].convert("RGB"))


@pytest.mark.parametrize("height_and_width", [(120, 161), (233, 97)])
def test_a_jpeg_is_reduced_as_far_as_15_16ths_of_what_is_wanted(encoded, noise, height_and_width):
    content = encoded(smooth(noise, *height_and_width), "JPEG")
    found = set()
    for wanted in range(1, 130):
        halvings = [
            ratio
            for ratio in (1, 2, 4, 8)
            if ratio == 1 or np.ceil(min(height_and_width) / ratio) >= wanted * 15 / 16
        ]
        expected = tuple(int(np.ceil(side / halvings[-1])) for side in height_and_width)
        assert decode(content, wanted).shape == (*expected, 3)
        found.add(halvings[-1])
    assert found == {1, 2, 4, 8}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("wanted", "ratio"), [(48, 2), (24, 4), (12, 8)])
def test_a_reduced_jpeg_is_an_average_of_the_whole(noise, mode, wanted, ratio):
    buffer = io.BytesIO()
    image = Image.fromarray(smooth(noise, 96, 128)).convert(mode)
    image.save(buffer, "JPEG", quality=95)
    expected = np.int32(image.convert("RGB").reduce(ratio))
    reduced = np.int32(decode(buffer.getvalue(), wanted))
    assert reduced.shape == expected.shape
    assert np.abs(reduced - expected).mean() < 2.5


def test_a_jpeg_of_which_all_is_wanted_is_whole(encoded, noise):
    content = encoded(smooth(noise, 60, 80), "JPEG")
    assert np.array_equal(decode(content, 60), decode(content))
    assert np.array_equal(decode(content, 1000), decode(content))


@pytest.mark.parametrize("shorter_side", [None, 8])
@pytest.mark.parametrize("content", [b"", b"no photograph", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0"])
def test_what_is_no_photograph_is_refused(content, shorter_side):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(content, shorter_side)


@pytest.mark.parametrize("shorter_side", [None, 8])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_is_cut_off_is_refused(encoded, noise, file_format, share, shorter_side):
    content = encoded(noise(40, 60), file_format)
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(content[: int(share * len(content))], shorter_side)
