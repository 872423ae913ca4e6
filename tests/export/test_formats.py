import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.export import formats
from nfl_keras.export.formats import declared_size, format_of


@pytest.fixture(scope="module")
def look():
    """Function from bytes to the format and the size."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
    def size(encoded):
        return declared_size(encoded, format_of(encoded))

    def look(content):
        image_format = int(format_of(tf.constant(content)))
        return image_format, size(content).numpy().tolist()

    return look


def test_each_kind_is_told_apart_and_its_size_read(look, photographs):
    for kind, content in photographs.items():
        file_format = {"MPO": "JPEG"}.get(kind) or next(
            name for name in ("JPEG", "PNG", "WEBP", "BMP") if name in kind.upper()
        )
        assert look(content) == (getattr(formats, file_format), [24, 40]), kind


@pytest.mark.parametrize("height", [1, 2, 255, 256, 300, 5000])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_the_size_is_pillows_for_any_number_of_bytes(look, encoded, picture, file_format, height):
    content = encoded(picture(height, 3), file_format)
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    assert look(content)[1] == [height, width]
    lossless = encoded(picture(height, 257), "WEBP", lossless=True)
    assert look(lossless)[1] == [height, 257]


def test_bombs_are_read_as_they_declare_themselves(look, bombs):
    sizes = {kind: look(bombs[kind])[1] for kind in bombs}
    assert sizes == {
        "JPEG": [60_000, 60_000],
        "PNG": [30_000, 30_000],
        "PNG, the largest": [2**32 - 1, 2**32 - 1],
        "WebP": [16_383, 16_383],
        "lossless WebP": [16_383, 16_383],
        "BMP": [30_000, 30_000],
    }


def test_a_bitmap_that_stands_on_its_head_has_a_size(look, photographs):
    content = bytearray(photographs["BMP"])
    content[22:26] = np.int32(-24).tobytes()
    assert look(bytes(content)) == (formats.BMP, [24, 40])


def test_gif_and_animated_webp_are_told_apart_and_have_no_size(look, unsupported):
    for kind, content in unsupported.items():
        file_format = formats.GIF if "GIF" in kind else formats.ANIMATED_WEBP
        assert look(content) == (file_format, [0, 0]), kind


def test_what_is_no_image_is_unknown(look, foreign):
    for kind, content in {**foreign, "nothing": b""}.items():
        assert look(content) == (formats.UNKNOWN, [0, 0]), kind
