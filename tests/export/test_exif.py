import io
import struct

import hypothesis
import hypothesis.strategies as st
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.export.exif import orientation
from nfl_keras.export.formats import MAX_CHUNKS, format_of


@pytest.fixture(scope="module")
def read():
    @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
    def read(encoded):
        return orientation(encoded, format_of(encoded))

    return lambda content: int(read(content))


def test_a_long_number_is_read_too(read, encoded, picture):
    for order in "<>":
        for value, expected in ((6, 6), (0x10006, 1)):
            exif = bytearray(directory(order, (0x0112, 4, 1, 0)))
            exif[-8:-4] = struct.pack(f"{order}I", value)
            content = encoded(picture(), "JPEG", exif=bytes(exif))
            with Image.open(io.BytesIO(content)) as image:
                assert image.getexif()[0x0112] == value
            assert read(content) == expected


def directory(order, *entries):
    """EXIF with (tag, type, count, value of 2 bytes) entries."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    body = b"".join(struct.pack(f"{order}HHIHH", *entry, 0) for entry in entries)
    return b"Exif\0\0" + head + struct.pack(f"{order}H", len(entries)) + body + bytes(4)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_each_orientation_is_read(read, encoded, picture, file_format):
    for order in "<>":
        for value in (*range(10), 700):
            exif = directory(order, (0x0100, 3, 1, 5), (0x0112, 3, 1, value), (0x0131, 3, 1, 2))
            content = encoded(picture(), file_format, exif=exif)
            with Image.open(io.BytesIO(content)) as image:
                assert image.getexif()[0x0112] == value
            assert read(content) == (value if 1 <= value <= 8 else 1)


def test_images_without_one_stand_upright(read, photographs):
    assert {read(content) for content in photographs.values()} == {1}


def test_it_is_found_behind_other_segments(read, encoded, picture):
    content = encoded(picture(), "JPEG", exif=directory("<", (0x0112, 3, 1, 6)))
    exif = content.index(b"\xff\xe1")
    other = b"\xff\xe2" + struct.pack(">H", 40_002) + bytes(40_000)
    assert read(content[:exif] + 5 * other + b"\xff\xff" + content[exif:]) == 6
    many = MAX_CHUNKS * (b"\xff\xe2" + struct.pack(">H", 2))
    assert read(content[:exif] + many + content[exif:]) == 1


def test_what_stands_behind_the_pixels_of_a_jpeg_is_none(read, encoded, picture):
    plain = encoded(picture(), "JPEG")
    turned = encoded(picture(), "JPEG", exif=directory("<", (0x0112, 3, 1, 6)))
    assert read(plain + turned) == 1


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0no directory at all",
        b"Exif\0\0II*\0" + struct.pack("<I", 2**32 - 1),
        b"Exif\0\0II*\0" + struct.pack("<IH", 8, 65_535),
        directory("<", (0x0112, 2, 3, 6)),
        directory("<", (0x0112, 3, 2, 6)),
        directory("<", (0x0112, 3, 1, 6)).replace(b"II*\0", b"II+\0"),
    ],
)
def test_damaged_exif_counts_for_nothing(read, encoded, picture, exif):
    assert read(encoded(picture(), "JPEG", exif=exif)) == 1


@hypothesis.given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"RIFF1234WEBP"]))
def test_any_bytes_have_an_orientation(read, content, magic):
    assert 1 <= read(magic + content) <= 8
    assert 1 <= read(b"\xff\xd8\xff\xe1\x01\0Exif\0\0" + content) <= 8
    assert 1 <= read(b"\x89PNG\r\n\x1a\n\0\0\0\xffeXIfMM\0*" + content) <= 8
