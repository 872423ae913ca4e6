"""Headers, held against Pillow's and libjpeg's reading."""

import io
import struct
import time

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.data.decoding.jpeg_header import MAX_SEGMENTS
from nfl_keras.data.decoding.read_header import (
    BMP,
    JPEG,
    PNG,
    RARE,
    UNKNOWN,
    WEBP,
    Header,
    read_header,
)

EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF_6 = EXIF.tobytes()


def as_libjpeg_has_it(content):
    """The height and width, or None where it reads none."""
    try:
        return tuple(tf.io.extract_jpeg_shape(content).numpy().tolist()[:2])
    except tf.errors.InvalidArgumentError:
        return None


def size(content):
    header = read_header(content)
    return header.height, header.width


def segment(marker, data=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def frame(height, width, marker=0xC0):
    return segment(marker, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0))


def test_each_kind_is_told_apart_and_its_size_read(photographs):
    formats = {"JPEG": JPEG, "MPO": JPEG, "PNG": PNG, "WebP": WEBP, "BMP": BMP}
    for kind, content in photographs.items():
        of_kind = next(formats[name] for name in formats if name in kind)
        assert read_header(content)[:4] == (of_kind, 24, 40, 1), kind


@pytest.mark.parametrize("height", [1, 2, 255, 256, 300, 5000])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_the_size_is_pillows_for_any_number_of_bytes(encoded, picture, file_format, height):
    assert size(encoded(picture(height, 3), file_format)) == (height, 3)
    assert size(encoded(picture(height, 257), "WEBP", lossless=True)) == (height, 257)


@pytest.mark.parametrize(
    ("sampling", "bytes_per_pixel"), [("4:4:4", 6), ("4:2:2", 4), ("4:2:0", 3), ("4:1:1", 3)]
)
def test_all_coefficients_of_a_progressive_jpeg_are_held(
    encoded, picture, sampling, bytes_per_pixel
):
    for mode, factor in (("RGB", 1), ("CMYK", 8 / bytes_per_pixel), ("L", 2 / bytes_per_pixel)):
        image = picture(48, 64).convert(mode)
        options = {"subsampling": sampling} if mode == "RGB" else {}
        content = encoded(image, "JPEG", progressive=True, **options)
        assert read_header(content).memory == factor * bytes_per_pixel * 48 * 64
        assert read_header(encoded(image, "JPEG", **options)).memory == 0
        # One component comes in the first scan, of a frame that need not be progressive.
        content = content.replace(b"\xff\xc2", b"\xff\xc0")
        scan = content.index(b"\xff\xda")
        content = content[: scan + 4] + b"\1" + content[scan + 5 :]
        held = 0 if mode == "L" else factor * bytes_per_pixel * 48 * 64
        assert read_header(content).memory == held


def test_a_webp_says_what_it_costs(encoded, picture):
    clear = picture()
    clear.putalpha(77)
    assert read_header(encoded(picture(), "WEBP")).memory == 0
    assert read_header(encoded(picture(), "WEBP", exif=EXIF)).memory == 0
    assert read_header(encoded(clear, "WEBP")).memory == 6 * 24 * 40
    for image in (picture(), clear):
        for options in ({}, {"exif": EXIF}):
            content = encoded(image, "WEBP", lossless=True, **options)
            assert read_header(content).memory == 5 * 24 * 40


def test_bombs_are_read_as_they_declare_themselves(bombs):
    assert {kind: size(bombs[kind]) for kind in bombs} == {
        "JPEG": (60_000, 60_000),
        "PNG": (30_000, 30_000),
        "PNG, the largest": (2**32 - 1, 2**32 - 1),
        "WebP": (16_383, 16_383),
        "lossless WebP": (16_383, 16_383),
        "BMP": (30_000, 30_000),
    }


def test_a_bitmap_that_stands_on_its_head_has_a_size(photographs):
    content = bytearray(photographs["BMP"])
    content[22:26] = np.int32(-24).tobytes()
    assert read_header(bytes(content)) == Header(BMP, 24, 40)


def test_what_pillow_must_convert_has_no_size(unsupported):
    for kind, content in unsupported.items():
        assert read_header(content) == Header(RARE), kind


def test_what_is_no_image_is_unknown(foreign):
    for kind, content in {**foreign, "nothing": b""}.items():
        assert read_header(content) == Header(UNKNOWN), kind


# ---- JPEG ----


def test_the_size_is_found_behind_other_segments(encoded, picture):
    content = encoded(picture(), "JPEG")
    other = segment(0xE2, bytes(4_000))
    long = content[:2] + 500 * other + b"\xff\xff\xff" + content[2:]
    assert size(long) == as_libjpeg_has_it(long) == (24, 40)
    assert size(content[:2] + MAX_SEGMENTS * segment(0xE2) + content[2:]) == (0, 0)


@pytest.mark.parametrize("stray", [b"\0", bytes(50), b"\0\xe1", b"\xff\0", b"\xff", b"abc\xff\0"])
@pytest.mark.parametrize("times", [1, 3, 100_000])
def test_stray_bytes_between_segments_are_skipped_as_by_libjpeg(encoded, picture, stray, times):
    content = encoded(picture(), "JPEG", exif=EXIF_6)
    first = content.index(b"\xff\xe1")
    content = content[:first] + times * stray + content[first:]
    assert size(content) == as_libjpeg_has_it(content) == (24, 40)
    assert read_header(content).orientation == 6


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC9, 0xCA])
def test_frames_of_every_kind_that_libjpeg_decodes_are_found(marker):
    assert size(b"\xff\xd8\xff\xfe\0\5abc" + frame(700, 65_535, marker)) == (700, 65_535)


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC, 0xD9, 0xDA, 0xE1, 0xFE])
def test_what_is_no_frame_is_not_taken_for_one(marker):
    assert size(b"\xff\xd8" + frame(700, 800, marker)) == (0, 0)


def test_no_size_hides_behind_another():
    for cover in (b"\xff\0\0\x0f", b"\xff\xe1\0\0", b"\xff\xe1\0\1", b"\xff\xe1\0\x02"):
        assert size(b"\xff\xd8" + cover + frame(60_000, 60_000) + frame(10, 10)) == (60_000, 60_000)


def test_what_ends_too_early_has_no_size(damaged):
    assert size(damaged["JPEG, no more than magic"]) == (0, 0)
    content = b"\xff\xd8" + frame(700, 800)
    for end in range(2, 10):
        assert 0 in size(content[:end])


def test_a_header_that_ends_anywhere_raises_nothing(photographs, rare):
    for content in (*photographs.values(), *rare.values()):
        for length in range(100):
            assert read_header(content[:length]).orientation == 1


def test_exif_in_several_segments_is_joined_as_by_pillow(encoded, picture):
    content = encoded(picture(), "JPEG")
    for parts in ([EXIF_6[:16], EXIF_6[16:]], [EXIF_6[:6], EXIF_6[6:20], EXIF_6[20:]]):
        inserted = [part if part is parts[0] else EXIF_6[:6] + part for part in parts]
        whole = content[:2] + b"".join(segment(0xE1, part) for part in inserted) + content[2:]
        with Image.open(io.BytesIO(whole)) as image:
            assert image.getexif()[0x0112] == 6
        assert read_header(whole).orientation == 6


def test_what_stands_behind_the_pixels_of_a_jpeg_is_none(encoded, picture):
    plain, turned = encoded(picture(), "JPEG"), encoded(picture(), "JPEG", exif=EXIF_6)
    assert read_header(plain + turned).orientation == 1


@pytest.mark.parametrize(
    "part", [b"\0", b"\xff\0", segment(0xE2), b"\xff\xd0", segment(0xE1, EXIF_6)]
)
def test_any_number_of_bytes_takes_little_time(part):
    content = b"\xff\xd8\xff\xe0\0\2" + part * (2**26 // len(part))
    before = time.process_time()
    read_header(content)
    assert time.process_time() - before < 2


SEGMENTS = st.one_of(
    st.builds(frame, st.integers(0, 65_535), st.integers(0, 65_535), st.integers(0xC0, 0xCF)),
    st.builds(
        lambda marker, data, lie: (
            bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2 + lie) + data
        ),
        st.integers(0, 255),
        st.binary(max_size=20),
        st.sampled_from([0, 0, 0, 1, -1, -2, 13]),
    ),
    st.binary(min_size=1, max_size=4),
)


@hypothesis.given(st.lists(SEGMENTS, max_size=6))
def test_a_size_that_libjpeg_reads_is_read(segments):
    content = b"\xff\xd8\xff" + b"".join(segments)
    expected = as_libjpeg_has_it(content)
    # Where libjpeg reads none it decodes nothing either.
    if expected is not None:
        assert size(content) == expected


# ---- PNG and WebP ----


def test_only_chunks_before_the_pixels_of_a_png_count(encoded, picture):
    content, turned = encoded(picture()), encoded(picture(), exif=EXIF_6)
    assert read_header(turned).orientation == 6
    start = turned.index(b"eXIf") - 4
    chunk = turned[start : start + 12 + int.from_bytes(turned[start : start + 4])]
    assert read_header(content[:-12] + chunk + content[-12:]).orientation == 1


def test_a_webp_has_exif_where_its_flag_says_so(encoded, picture):
    content = bytearray(encoded(picture(), "WEBP", exif=EXIF_6, icc_profile=b"x" * 333))
    assert read_header(bytes(content)).orientation == 6
    content[20] &= ~8
    with Image.open(io.BytesIO(content)) as image:
        assert 0x0112 not in image.getexif()
    assert read_header(bytes(content)).orientation == 1


def test_what_stands_behind_a_webp_is_none(encoded, picture):
    content = encoded(picture(), "WEBP", exif=EXIF_6)
    start = content.index(b"EXIF")
    moved = content[:4] + struct.pack("<I", start - 8) + content[8:]
    with Image.open(io.BytesIO(moved)) as image:
        assert 0x0112 not in image.getexif()
    assert read_header(moved).orientation == 1


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", range(10))
def test_the_orientation_is_pillows(encoded, picture, file_format, value):
    exif = Image.Exif()
    exif[0x0112] = value
    content = encoded(picture(), file_format, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif()[0x0112] == value
    assert read_header(content).orientation == (value if 1 <= value <= 8 else 1)
