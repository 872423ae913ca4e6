import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from nfl_keras.data.decoding import checked_bytes as module
from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode
from nfl_keras.data.decoding.photograph_error import MAX_PIXELS, PhotographError
from nfl_keras.errors import UserError

HEIGHT, WIDTH = 30, 40


@pytest.fixture(scope="module", autouse=True)
def no_warning_leaves():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def smooth(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    return Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def deep(channels):
    """16-bit values, big-endian as PNG has them."""
    shape = (HEIGHT, WIDTH, channels)
    return np.random.default_rng(channels).integers(0, 65536, shape).astype(">u2")


def saved(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(rows, width, height, bits, color_type):
    """A PNG file by the letter of its specification."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    data = b"".join(b"\0" + bytes(row) for row in rows)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(data)),
            chunk(b"IEND", b""),
        ]
    )


def deep_png(values):
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    return png([row.tobytes() for row in values], WIDTH, HEIGHT, 16, color_type)


def with_transparency(image):
    alpha = np.random.default_rng(9).integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
    return Image.fromarray(np.concatenate([np.asarray(image), alpha], axis=-1))


def ycck():
    """A CMYK JPEG whose Adobe marker says that its first three channels are YCbCr."""
    content = bytearray(saved(smooth().convert("CMYK"), "JPEG"))
    content[content.index(b"Adobe") + 11] = 2
    return bytes(content)


MOVING = {"save_all": True, "append_images": [smooth(1), smooth(2)]}
EXACT = {"lossless": True, "exact": True}
PASSED = {
    "JPEG": saved(smooth(), "JPEG"),
    "progressive JPEG": saved(smooth(), "JPEG", progressive=True),
    "gray JPEG": saved(smooth().convert("L"), "JPEG"),
    "CMYK JPEG": saved(smooth().convert("CMYK"), "JPEG"),
    "YCCK JPEG": ycck(),
    "RGB JPEG": saved(smooth(), "JPEG", keep_rgb=True),
    "MPO": saved(smooth(), "MPO", **MOVING),
    **{f"PNG {mode}": saved(smooth().convert(mode), "PNG") for mode in ("1", "L", "LA", "RGB")},
    "PNG RGBA": saved(with_transparency(smooth()), "PNG"),
    "PNG palette": saved(smooth().quantize(16), "PNG"),
    "PNG palette of 2 bits": saved(smooth().quantize(3), "PNG", bits=2),
    "PNG palette, transparent": saved(smooth().quantize(16), "PNG", transparency=3),
    "PNG RGB, transparent": saved(smooth(), "PNG", transparency=(1, 2, 3)),
    "moving PNG": saved(smooth(), "PNG", **MOVING),
    "WebP": saved(smooth(), "WEBP"),
    "lossless WebP": saved(smooth(), "WEBP", lossless=True),
    "WebP, transparent": saved(with_transparency(smooth()), "WEBP", **EXACT),
    "BMP": saved(smooth(), "BMP"),
    "BMP RGBA": saved(with_transparency(smooth()), "BMP"),
}
CONVERTED = {
    "moving WebP": saved(smooth(), "WEBP", lossless=True, **MOVING),
    "GIF": saved(smooth(), "GIF"),
    "moving GIF": saved(smooth(), "GIF", **MOVING),
    "GIF, transparent": saved(smooth().quantize(16), "GIF", transparency=3),
    **{f"BMP {mode}": saved(smooth().convert(mode), "BMP") for mode in ("1", "L", "P")},
    **{f"TIFF {m}": saved(smooth().convert(m), "TIFF") for m in ("1", "L", "RGB", "CMYK")},
    "TIFF RGBA": saved(with_transparency(smooth()), "TIFF"),
    "compressed TIFF": saved(smooth(), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("kind", PASSED | CONVERTED)
def test_every_kind_decodes_as_pillow_decodes_it(kind):
    content = (PASSED | CONVERTED)[kind]
    checked, orientation = checked_bytes(content, kind)
    assert orientation == 1
    assert (checked is content) == (kind in PASSED)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("RGB"))
    pixels = decode(checked).numpy()
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    # TensorFlow takes the fast inverse transform of libjpeg.
    tolerance = 18 if "JPEG" in kind or kind == "MPO" else 0
    assert np.abs(np.int32(pixels) - expected).max() <= tolerance


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_16_bits_keeps_the_upper_eight(channels):
    values = deep(channels)
    pixels = decode(checked_bytes(deep_png(values), "a")[0]).numpy()
    colors = values[..., : 3 if channels > 2 else 1] >> 8
    assert np.array_equal(pixels, np.broadcast_to(colors, (HEIGHT, WIDTH, 3)))


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_tiff_of_16_bits_keeps_the_upper_eight(order):
    values = deep(1)[..., 0]
    mode = {"<u2": "I;16", ">u2": "I;16B"}[order]
    image = Image.frombytes(mode, (WIDTH, HEIGHT), values.astype(order).tobytes())
    pixels = decode(checked_bytes(saved(image, "TIFF"), "a")[0]).numpy()
    assert np.array_equal(pixels, np.stack([values >> 8] * 3, axis=-1))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bits_are_refused(mode):
    with pytest.raises(PhotographError, match="32 bits per pixel"):
        checked_bytes(saved(smooth().convert("L").convert(mode), "TIFF"), "a")


def test_one_pixel():
    content, _ = checked_bytes(png([b"\x01\x02\x03"], 1, 1, 8, 2), "a")
    assert decode(content).numpy().tolist() == [[[1, 2, 3]]]


# ---- refusals ----


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero bytes"),
        (b"no photograph", "not an image"),
        (b"\x00" * 100, "not an image"),
        (b"\xff\xd8\xff", "truncated or damaged"),
        (b"\x89PNG\r\n\x1a\n", "truncated or damaged"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "truncated or damaged"),
        (b"GIF89a", "truncated or damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image"),
        ("text", "read gives str, not bytes"),
        (None, "read gives NoneType, not bytes"),
    ],
)
def test_what_is_no_image_is_refused_by_name(content, reason):
    with pytest.raises(UserError) as refused:
        checked_bytes(content, "Blüte 花/1 2.jpg")
    assert str(refused.value) == (
        f"the photograph 'Blüte 花/1 2.jpg' cannot be used: {reason}; replace or remove it."
    )
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (30_000, 30_000),
        (2**31 - 1, 2**31 - 1),
        (10_001, 10_000),
        (1, MAX_PIXELS + 1),
        (1, 1_000_001),
        (1_000_001, 2),
    ],
)
def test_a_header_that_declares_too_many_pixels_is_refused(width, height):
    content = png([b"\0" * 100], width, height, 8, 2)
    assert len(content) < 100
    with pytest.raises(PhotographError, match="declares too many pixels, more than 100,000,000"):
        checked_bytes(content, "bomb.png")


def test_the_largest_photographs_pass_without_a_warning():
    content = png([b""], 10_000, 10_000, 8, 2)
    assert checked_bytes(content, "a") == (content, 1)


def test_a_gif_whose_frame_outgrows_its_header_is_refused():
    content = bytearray(saved(smooth().quantize(4), "GIF"))
    frame = content.index(b"\x2c\0\0\0\0" + struct.pack("<HH", WIDTH, HEIGHT))
    content[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(PhotographError):
        checked_bytes(bytes(content), "a")


def test_too_many_bytes_are_refused(monkeypatch):
    content = saved(smooth(), "PNG")
    monkeypatch.setattr(module, "MAX_BYTES", len(content))
    assert checked_bytes(content, "a") == (content, 1)
    monkeypatch.setattr(module, "MAX_BYTES", len(content) - 1)
    with pytest.raises(PhotographError, match=f"{len(content):,} bytes, more than"):
        checked_bytes(content, "a")


@pytest.mark.filterwarnings("ignore")  # Pillow's, of damaged TIFF
@pytest.mark.parametrize("kind", CONVERTED)
def test_what_is_converted_is_refused_where_it_is_cut_off(kind):
    content = CONVERTED[kind]
    with pytest.raises(PhotographError, match=r"^[^\n]*$"):
        checked_bytes(content[: len(content) // 4], "a")


@pytest.mark.parametrize("file_format", ["JPEG", "MPO", "PNG", "WEBP"])
def test_the_orientation_comes_with_the_bytes(file_format):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(smooth(), file_format, exif=exif)
    assert checked_bytes(content, "a") == (content, 6)


def test_xmp_turns_no_photograph():
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    content = saved(smooth(), "WEBP", xmp=xmp)
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif()[0x0112] == 6
    assert checked_bytes(content, "a")[1] == 1
