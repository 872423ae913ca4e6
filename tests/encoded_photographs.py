"""A small embedder, photographs in every format, and ways to break them."""

import io
import struct

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import nfl_keras

SIZE = 16


@pytest.fixture(scope="session")
def make_embedder():
    """Function from a seed to an `Embedder` of squares of 16 pixels, 5-D."""

    def make(seed=0):
        keras.utils.set_random_seed(seed)
        images = keras.Input((None, None, 3))
        maps = layers.Conv2D(6, 3, strides=2, activation="tanh")(images)
        maps = layers.Conv2D(8, 3, activation="tanh")(layers.BatchNormalization()(maps))
        backbone = keras.Model(images, layers.Dropout(0.5, seed=0)(maps))
        return nfl_keras.models.Embedder(backbone, 5, SIZE, 1 / 127.5, -1.0)

    return make


@pytest.fixture(scope="session")
def embedder(make_embedder):
    return make_embedder()


@pytest.fixture(scope="session")
def models_folder(embedder, tmp_path_factory):
    """A folder of models with the embedder, exported whole, that no test changes."""
    directory = tmp_path_factory.mktemp("models")
    nfl_keras.export_model(embedder, directory)
    return directory


@pytest.fixture(scope="session")
def picture():
    """Function from a height, a width and a seed to a smooth Pillow image."""

    def draw(height=24, width=40, seed=0):
        pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
        return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)

    return draw


@pytest.fixture(scope="session")
def encoded():
    """Function from a Pillow image or a uint8 array to a file's bytes, as Pillow writes them."""

    def write(image, file_format="PNG", **options):
        buffer = io.BytesIO()
        if not isinstance(image, Image.Image):
            image = Image.fromarray(np.asarray(image, np.uint8))
        image.save(buffer, file_format, **options)
        return buffer.getvalue()

    return write


@pytest.fixture(scope="session")
def photographs(picture, encoded):
    """Dict from a kind that exported models read to a file of another picture of 24 x 40 pixels."""
    draw = iter(picture(seed=seed) for seed in range(100))
    deep = np.random.default_rng(0).integers(0, 65536, (24, 40), np.uint16)
    alpha = Image.fromarray(np.full((24, 40), 77, np.uint8))
    transparent = next(draw)
    transparent.putalpha(alpha)
    moving = {"save_all": True, "append_images": [picture(seed=200), picture(seed=201)]}
    return {
        "JPEG": encoded(next(draw), "JPEG"),
        "progressive JPEG": encoded(next(draw), "JPEG", progressive=True),
        "gray JPEG": encoded(next(draw).convert("L"), "JPEG"),
        "CMYK JPEG": encoded(next(draw).convert("CMYK"), "JPEG"),
        "MPO": encoded(next(draw), "MPO", **moving),
        "PNG": encoded(next(draw)),
        "gray PNG": encoded(next(draw).convert("L")),
        "PNG of 1 bit": encoded(next(draw).convert("1")),
        "PNG of 16 bits": encoded(Image.fromarray(deep)),
        "PNG with a palette": encoded(next(draw).quantize(16)),
        "transparent PNG": encoded(transparent),
        "moving PNG": encoded(next(draw), "PNG", **moving),
        "WebP": encoded(next(draw), "WEBP"),
        "lossless WebP": encoded(next(draw), "WEBP", lossless=True),
        "transparent WebP": encoded(transparent, "WEBP", lossless=True, exact=True),
        "BMP": encoded(next(draw), "BMP"),
    }


@pytest.fixture(scope="session")
def rare(picture, encoded):
    """Dict from a kind that only the client and training read to a file of 24 x 40 pixels."""
    draw = iter(picture(seed=seed) for seed in range(100, 200))
    moving = {"save_all": True, "append_images": [picture(seed=200), picture(seed=201)]}
    transparent = next(draw)
    transparent.putalpha(77)
    return {
        "GIF": encoded(next(draw), "GIF"),
        "moving GIF": encoded(next(draw), "GIF", **moving),
        "interlaced GIF": encoded(next(draw), "GIF", interlace=1),
        "commented GIF": encoded(next(draw), "GIF", comment=b"a rose" * 100),
        "moving WebP": encoded(next(draw), "WEBP", lossless=True, **moving),
        "moving lossy WebP": encoded(next(draw), "WEBP", **moving),
        "transparent moving WebP": encoded(
            transparent, "WEBP", lossless=True, exact=True, **moving
        ),
        "TIFF": encoded(next(draw), "TIFF"),
        "BMP with a palette": encoded(next(draw).quantize(16), "BMP"),
    }


@pytest.fixture(scope="session")
def unsupported(rare):
    """Dict from a kind to a file that exported models refuse by its first bytes, whole or not."""
    gif, webp = rare["moving GIF"], rare["moving WebP"]
    pixels = webp.index(b"VP8L") + 9
    bomb = webp[:pixels] + struct.pack("<I", 16_382 | 16_382 << 14) + webp[pixels + 4 :]
    return {
        **rare,
        "GIF, cut off": gif[: len(gif) // 2],
        "GIF, no more than magic": b"GIF89a",
        "GIF that declares many pixels": gif[:6] + b"\xff\xff\xff\xff" + gif[10:],
        "moving WebP, cut off": webp[: len(webp) // 2],
        "moving WebP, no more than its flags": webp[:21],
        "moving WebP that declares many pixels": bomb,
    }


@pytest.fixture(scope="session")
def bombs(photographs):
    """Dict from a kind to a small file that declares more than 100 million pixels."""

    def patched(kind, *places):
        content = bytearray(photographs[kind])
        for start, number in places:
            content[start : start + len(number)] = number
        return bytes(content)

    start_of_frame = photographs["JPEG"].index(b"\xff\xc0") + 5
    both_14_bits = struct.pack("<I", 16_382 | 16_382 << 14)
    return {
        "JPEG": patched("JPEG", (start_of_frame, struct.pack(">HH", 60_000, 60_000))),
        "PNG": patched("PNG", (16, struct.pack(">II", 30_000, 30_000))),
        "PNG, the largest": patched("PNG", (16, struct.pack(">II", 2**32 - 1, 2**32 - 1))),
        "WebP": patched("WebP", (26, struct.pack("<HH", 16_383, 16_383))),
        "lossless WebP": patched("lossless WebP", (21, both_14_bits)),
        "BMP": patched("BMP", (18, struct.pack("<ii", 30_000, -30_000))),
    }


@pytest.fixture(scope="session")
def damaged(photographs):
    """Dict from a kind to a file of which the end is missing, or something in the middle."""
    cut = {
        f"{kind}, cut off": photographs[kind][: len(photographs[kind]) // 2]
        for kind in ("JPEG", "PNG", "WebP", "lossless WebP", "BMP")
    }
    png = photographs["PNG"]
    middle = png.index(b"IDAT") + 20
    return {
        **cut,
        "JPEG, no more than magic": b"\xff\xd8\xff",
        "PNG, no more than magic": b"\x89PNG\r\n\x1a\n",
        "WebP, no more than magic": b"RIFF\0\0\0\0WEBPVP8 ",
        "WebP without chunks": b"RIFF\0\0\0\0WEBP" + photographs["WebP"][20:],
        "PNG, changed within": png[:middle] + b"\0\0\0\0\0\0\0\0" + png[middle + 8 :],
    }


@pytest.fixture(scope="session")
def foreign():
    """Dict from a kind to what is no image, or none of a format that is read."""
    return {
        "words": b"no photograph",
        "zeros": bytes(100),
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "JPEG XL": b"\xff\x0a" + bytes(40),
        "one byte": b"\xff",
    }
