"""The graph reads every header as Python does."""

import os
import struct
import time

import hypothesis
import hypothesis.strategies as st
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.data.decoding.jpeg_header import MAX_EXIF, MAX_SEGMENTS
from nfl_keras.data.decoding.read_header import RARE_MAGICS, read_header
from nfl_keras.export.exif import orientation
from nfl_keras.export.formats import format_of, read_parts

EXAMPLES = int(os.environ.get("NFL_KERAS_FUZZ", "100"))


@pytest.fixture(scope="module")
def read():
    """Function from bytes to the format, the size, the orientation and the memory."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
    def read(encoded):
        image_format = format_of(encoded)
        size, exif, memory = read_parts(encoded, image_format)
        return image_format, size, orientation(exif), memory

    def numbers(content):
        image_format, size, *others = (part.numpy().tolist() for part in read(content))
        return (image_format, *size, *others)

    return numbers


@pytest.fixture(scope="module")
def files(photographs, unsupported, bombs, damaged, foreign, picture, encoded):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = {kind: encoded(picture(), kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP")}
    clear = picture()
    clear.putalpha(77)
    turned["progressive"] = encoded(picture(), "JPEG", exif=exif, progressive=True)
    turned["lossless"] = encoded(clear, "WEBP", exif=exif, lossless=True)
    turned["clear"] = encoded(clear, "WEBP", exif=exif)
    groups = {"turned": turned, "photographs": photographs, "unsupported": unsupported}
    groups |= {"bombs": bombs, "damaged": damaged, "foreign": foreign, "": {"nothing": b""}}
    return {
        f"{g} {kind}": content for g, group in groups.items() for kind, content in group.items()
    }


def segment(marker, data=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def test_every_kind_of_file(read, files):
    for kind, content in files.items():
        assert read(content) == read_header(content), kind


def test_every_end_of_a_file(read, files):
    kinds = ("JPEG", "PNG", "WEBP", "progressive", "clear")
    for kind in [*(f"turned {kind}" for kind in kinds), "photographs BMP"]:
        for end in range(0, min(1200, len(files[kind])), 7):
            assert read(files[kind][:end]) == read_header(files[kind][:end]), (kind, end)


@pytest.mark.parametrize("stray", [b"\0", b"\xff", b"\xff\0", b"ab\xff\xff\0"])
@pytest.mark.parametrize("count", [1, 29, 30, 31, 32, 63, 64, 65, 511, 70_000, 600_000])
def test_stray_bytes_between_segments(read, files, stray, count):
    content = files["turned JPEG"]
    first = content.index(b"\xff\xe1")
    content = content[:first] + count * stray + content[first:]
    assert read(content) == read_header(content) == (0, 24, 40, 6, 0)


@pytest.mark.parametrize("count", [MAX_SEGMENTS - 4, MAX_SEGMENTS - 1, MAX_SEGMENTS])
@pytest.mark.parametrize("kind", ["turned JPEG", "turned PNG", "turned WEBP"])
def test_as_many_segments_are_read(read, files, kind, count):
    other = {"J": segment(0xE2), "P": b"\0\0\0\0tEXtabcd", "W": b"abcd\0\0\0\0"}[kind[7]]
    start = {"J": 2, "P": 33, "W": 30}[kind[7]]
    content = files[kind][:start] + count * other + files[kind][start:]
    assert read(content) == read_header(content)


def test_as_many_bytes_of_exif_are_joined(read, files):
    content = files["turned JPEG"]
    start = content.index(b"\xff\xe1")
    exif = content[start + 4 : content.index(b"\xff\xdb")]
    exif = exif[:10] + struct.pack(">I", MAX_EXIF)  # The directory stands in the last segment.
    turns = []
    for missing in (3, 2, 1, 0):
        room = MAX_EXIF - len(exif) - missing
        sizes = (60_000, 60_000, room - 120_000)
        parts = [exif, *(b"Exif\0\0" + bytes(size) for size in sizes)]
        last = b"Exif\0\0" + bytes(missing + 6) + content[start + 18 :][:26]
        whole = content[:2] + b"".join(segment(0xE1, part) for part in [*parts, last])
        assert read(whole) == read_header(whole)
        turns.append(read(whole)[3])
    assert turns == [6, 6, 6, 1]


@pytest.mark.parametrize(
    "part", [b"\0", b"\xff\0", segment(0xE2), b"\xff\xd0", b"\0" + segment(0xE2)]
)
def test_any_number_of_bytes_takes_little_time(read, part):
    content = b"\xff\xd8\xff\xe0\0\2" + part * (2**26 // len(part))
    before = time.process_time()
    read(content)
    assert time.process_time() - before < 5


ENTRIES = st.tuples(
    st.sampled_from([0x0112, 0x0112, 0x0111]),
    st.integers(0, 18),
    st.integers(0, 3),
    st.one_of(st.integers(0, 9), st.integers(0, 2**32 - 1), st.integers(0, 80)),
    st.booleans(),
)


def tiff(order, magic, start, count, entries, tail):
    body = b"".join(
        struct.pack(f"{order}HHI", tag, kind, number)
        + (
            struct.pack(f"{order}HH", value % 65536, 0)
            if short
            else struct.pack(order + "I", value)
        )
        for tag, kind, number, value, short in entries
    )
    return magic + struct.pack(f"{order}IH", start, max(len(entries) + count, 0)) + body + tail


NUMBERS = st.one_of(
    st.binary(max_size=16),
    st.builds(
        lambda form, value: struct.pack(form, *([value] * len(form[1:]))),
        st.sampled_from(["<dd", ">dd", "<ff", ">ff", "<QQ", ">QQ", ">ii", "<ii"]),
        st.integers(0, 9),
    ),
)
TIFF = st.builds(
    tiff,
    st.sampled_from("<>"),
    st.sampled_from([b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"MM\0+", b"II+\0"]),
    st.sampled_from([8, 8, 8, 9, 0, 2**32 - 1]),
    st.sampled_from([0, 0, 0, 1, -1, 60_000]),
    st.lists(ENTRIES, max_size=4),
    NUMBERS,
)
PREFIXES = st.sampled_from([b"", b"Exif\0\0", b"Exif\0\0Exif\0\0", b"Exif\0"])


@hypothesis.settings(max_examples=EXAMPLES)
@hypothesis.given(st.lists(st.tuples(PREFIXES, TIFF, st.integers(0, 3)), min_size=1, max_size=3))
def test_any_exif(read, files, drawn):
    plain = files["photographs JPEG"]
    parts = [segment(0xE1, prefix + exif) + stray * b"\0" for prefix, exif, stray in drawn]
    jpeg = plain[:2] + b"".join(parts) + plain[2:]
    assert read(jpeg) == read_header(jpeg)
    exif = drawn[0][0] + drawn[0][1]
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + b"crc."
    png = files["photographs PNG"]
    png = png[:33] + chunk + png[33:]
    assert read(png) == read_header(png)


def test_a_file_that_ends_within_its_magic(read):
    for magic in RARE_MAGICS:
        for length in range(1, len(magic)):
            assert read(magic[:length]) == read_header(magic[:length])


CHANGES = st.tuples(
    st.sampled_from(["set", "cut", "insert", "repeat"]),
    st.integers(0, 2**16),
    st.binary(min_size=1, max_size=4),
)


@hypothesis.settings(max_examples=EXAMPLES)
@hypothesis.given(st.integers(0, 2**16), st.lists(CHANGES, min_size=1, max_size=6))
def test_any_change_of_a_file(read, files, kind, changes):
    content = list(files.values())[kind % len(files)]
    for what, place, data in changes:
        place = place // 2 % (100 if place % 2 else len(content) + 1)
        if what == "set":
            content = content[:place] + data + content[place + len(data) :]
        elif what == "cut":
            content = content[:place]
        else:
            rest = content[place if what == "insert" else max(0, place - 40) :]
            content = content[:place] + data * (what == "insert") + rest
    assert read(content) == read_header(content)
