"""The orientation in EXIF, held against Pillow's."""

import struct
import warnings

import hypothesis
import hypothesis.strategies as st
import pytest
from PIL import Image

from nfl_keras.data.decoding.exif_orientation import EXIF, MAGICS, exif_orientation


def as_pillow_has_it(exif):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = Image.Exif()
            read.load(exif)
            value = read.get(0x0112, 1)
    except Exception:  # Pillow raises errors of any type for damaged EXIF.
        return 1
    return int(value) if value in range(1, 9) else 1


def directory(order, *entries, magic=None, tail=b""):
    """TIFF with (tag, type, count, value of 4 bytes) entries, of which a value may be an int."""
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] if magic is None else magic
    body = b"".join(
        struct.pack(f"{order}HHI", *entry)
        + (struct.pack(f"{order}HH", value, 0) if isinstance(value, int) else value)
        for *entry, value in entries
    )
    head = start + struct.pack(f"{order}IH", 8, len(entries))
    return head + body + bytes(4) + tail


def orientation(value, kind=3, count=1):
    return (0x0112, kind, count, value)


@pytest.mark.parametrize("prefixes", range(4))
@pytest.mark.parametrize("value", [*range(10), 700])
@pytest.mark.parametrize("order", "<>")
def test_numbers_from_1_to_8_behind_up_to_two_prefixes_count(order, value, prefixes):
    exif = directory(order, (0x0100, 3, 1, 5), orientation(value), (0x0131, 3, 1, 2))
    exif = prefixes * EXIF + exif
    expected = value if 1 <= value <= 8 and prefixes < 3 else 1
    assert exif_orientation(exif) == expected
    if prefixes < 3:  # Before version 13 Pillow takes any number of them.
        assert as_pillow_has_it(exif) == expected


@pytest.mark.parametrize("before", [63, 64, 70, 1000, 65_534])
def test_any_number_of_entries_may_stand_before_it(before):
    exif = directory("<", *before * [(0x9999, 3, 1, 5)], orientation(6))
    assert exif_orientation(exif) == 6 == as_pillow_has_it(exif)


@pytest.mark.parametrize("magic", [*MAGICS, b"II+\0", b"MM+\0", b"II\0+", b"IM*\0", b"II\0\0"])
def test_every_magic_that_pillow_accepts(magic):
    exif = directory("<" if magic[:1] == b"I" else ">", orientation(6), magic=magic)
    assert exif_orientation(exif) == as_pillow_has_it(exif) == (6 if magic in MAGICS else 1)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", range(20))
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_every_type_and_count_that_pillow_reads(order, kind, count):
    forms = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d"}
    form = order + count * (forms | {13: "I", 16: "Q"}).get(kind, "H")
    packed = struct.pack(form, *[6, *(1 for _ in form[2:])][: len(form) - 1])
    offset = 8 + 2 + 12 + 4
    inside = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(f"{order}I", offset)
    exif = directory(order, orientation(inside, kind, count), tail=packed)
    assert exif_orientation(exif) == as_pillow_has_it(exif)
    if count and kind in (3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 16):
        assert exif_orientation(exif) == 6
    for end in range(len(exif)):
        assert exif_orientation(exif[:end]) == as_pillow_has_it(exif[:end])


@pytest.mark.parametrize("numbers", [(12, 2), (6, 0), (0, 6), (-6, -1), (6, -1), (13, 2), (8, 1)])
def test_rationals_are_divided(numbers):
    exif = directory("<", orientation(struct.pack("<I", 26), 10), tail=struct.pack("<ii", *numbers))
    assert exif_orientation(exif) == as_pillow_has_it(exif)


def test_no_other_entry_has_a_say():
    beyond = (0x010E, 2, 20, struct.pack("<I", 30))
    assert exif_orientation(directory("<", beyond, orientation(6))) == 6


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        EXIF,
        EXIF + b"II*\0",
        EXIF + b"no directory at all",
        b"II*\0" + struct.pack("<I", 2**32 - 1),
        b"II*\0" + struct.pack("<IH", 8, 65_535),
        directory("<", orientation(b"up\0\0", 2, 3)),
        directory("<", orientation(6)).replace(b"II*\0", b"II-\0"),
    ],
)
def test_damaged_exif_counts_for_nothing(exif):
    assert exif_orientation(exif) == as_pillow_has_it(exif) == 1


VALUES = st.one_of(st.integers(0, 9), st.binary(min_size=4, max_size=4))
ENTRIES = st.tuples(
    st.sampled_from([0x0112, 0x0112, 0x0111, 0x0113]), st.integers(0, 17), st.integers(0, 1), VALUES
)


@hypothesis.given(
    st.sampled_from("<>"), st.lists(ENTRIES, max_size=5), st.binary(max_size=40), st.integers(0, 99)
)
def test_any_directory_is_read_as_pillow_reads_it(order, entries, tail, cut):
    # Pillow gives up where another entry of 8 bytes points behind the end.
    entries = [e for e in entries if e[0] == 0x0112 or e[1] not in (5, 10, 12, 16)]
    hypothesis.assume(sum(tag == 0x0112 for tag, *_ in entries) < 2)
    exif = directory(order, *entries, tail=tail)
    exif = exif[: len(exif) - cut] if cut < 10 else exif
    assert exif_orientation(exif) == as_pillow_has_it(exif)
