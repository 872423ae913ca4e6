import base64
import io

import numpy as np
import pytest
from PIL import Image

from nfl_keras.report.thumbnail import thumbnail


def pixels(encoded):
    uri, width, height = thumbnail(encoded)
    kind, _, data = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert image.size == (width, height)
    return np.asarray(image, dtype=np.int32)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((448, 224), (224, 112)),
        ((300, 400), (112, 149)),
        ((80, 60), (80, 60)),
        ((2000, 200), (224, 112)),
        ((5, 900), (5, 10)),
        ((1, 1), (1, 1)),
    ],
)
def test_size(encode, size, expected):
    assert pixels(encode(Image.new("RGB", size))).shape == (expected[1], expected[0], 3)


@pytest.mark.parametrize(
    ("mode", "color", "file_format", "expected"),
    [
        ("RGB", (200, 30, 90), "JPEG", (200, 30, 90)),
        ("L", 77, "PNG", (77, 77, 77)),
        ("1", 1, "PNG", (255, 255, 255)),
        ("RGBA", (0, 0, 0, 0), "PNG", (255, 255, 255)),
        ("RGBA", (255, 0, 0, 127), "PNG", (255, 128, 128)),
        ("LA", (0, 0), "PNG", (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), "JPEG", (254, 0, 0)),
        ("I;16", 32896, "PNG", (128, 128, 128)),
    ],
)
def test_color_modes(encode, mode, color, file_format, expected):
    encoded = encode(Image.new(mode, (40, 30), color), file_format)
    assert np.abs(pixels(encoded) - expected).max() <= 6


def test_palette_with_transparency(encode):
    image = Image.new("P", (40, 30), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert np.abs(pixels(encode(image)) - (10, 200, 30)).max() <= 6
    assert pixels(encode(image, transparency=1)).min() >= 250


def test_other_deep_grays_are_stretched(encode):
    values = np.tile(np.linspace(-5, 5, 64, dtype=np.float32), (40, 1))
    shown = pixels(encode(Image.fromarray(values), "TIFF"))
    assert shown.min() <= 5
    assert shown.max() >= 250


def test_orientation_is_honoured(encode):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    encoded = encode(Image.new("RGB", (400, 300)), "JPEG", exif=exif)
    assert pixels(encoded).shape == (149, 112, 3)


def test_what_cannot_be_read_is_none(photograph):
    assert thumbnail(b"") is None
    assert thumbnail(b"<svg></svg>") is None
    assert thumbnail(photograph()[:2000]) is None
    assert thumbnail(None) is None
