import struct

import hypothesis
import hypothesis.strategies as st
import pytest
import tensorflow as tf

from nfl_keras.export.formats import MAX_CHUNKS, jpeg_size


@pytest.fixture(scope="module")
def size():
    graph = tf.function(jpeg_size, input_signature=[tf.TensorSpec((), tf.string)])
    return lambda content: graph(content).numpy().tolist()


def as_libjpeg_has_it(content):
    """The size, or None where it reads none."""
    try:
        return tf.io.extract_jpeg_shape(content).numpy().tolist()[:2]
    except tf.errors.InvalidArgumentError:
        return None


def frame(height, width, marker=0xC0):
    values = (0xFF, marker, 11, 8, height, width, 1, 1, 0x11, 0)
    return struct.pack(">BBHBHHBBBB", *values)


def test_the_size_is_found_behind_other_segments(size, encoded, picture):
    content = encoded(picture(), "JPEG")
    other = b"\xff\xe2" + struct.pack(">H", 4_002) + bytes(4_000)
    long = content[:2] + 500 * other + b"\xff\xff\xff" + content[2:]
    assert size(long) == as_libjpeg_has_it(long) == [24, 40]
    assert size(content[:2] + MAX_CHUNKS * b"\xff\xe2\0\2" + content[2:]) == [0, 0]


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC9, 0xCA])
def test_frames_of_every_kind_that_libjpeg_decodes_are_found(size, marker):
    content = b"\xff\xd8\xff\xfe\0\5abc" + frame(700, 65_535, marker)
    assert size(content) == [700, 65_535]


@pytest.mark.parametrize("marker", [0x00, 0xC4, 0xC8, 0xCC, 0xD9, 0xDA, 0xE1, 0xFE])
def test_what_is_no_frame_is_not_taken_for_one(size, marker):
    assert size(b"\xff\xd8" + frame(700, 800, marker)) == [0, 0]


def test_no_size_hides_behind_another(size):
    for cover in (b"\xff\0\0\x0f", b"\0\0", b"\xff\xe1\0\0", b"\xff\xe1\0\1", b"\0\xff\xe1\0\x0f"):
        content = b"\xff\xd8" + cover + frame(60_000, 60_000) + frame(10, 10)
        assert size(content) in ([0, 0], [60_000, 60_000]), cover


def test_what_ends_too_early_has_no_size(size, damaged):
    assert size(damaged["JPEG, no more than magic"]) == [0, 0]
    content = b"\xff\xd8" + frame(700, 800)
    for end in range(2, 11):
        assert 0 in size(content[:end]) or end == 10


SEGMENTS = st.one_of(
    st.builds(frame, st.integers(0, 65_535), st.integers(0, 65_535), st.integers(0xC0, 0xCF)),
    st.builds(
        lambda marker, data, lie: (
            bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2 + lie) + data
        ),
        st.integers(0, 255),
        st.binary(max_size=20),
        st.sampled_from([0, 0, 0, 1, -1, -2, 13]).filter(lambda lie: lie >= -2),
    ),
    st.binary(min_size=1, max_size=4),
)


@hypothesis.given(st.lists(SEGMENTS, max_size=6))
def test_a_size_that_is_read_is_the_one_of_libjpeg(size, segments):
    content = b"\xff\xd8" + b"".join(segments)
    found, expected = size(content), as_libjpeg_has_it(content)
    # Where libjpeg reads none it decodes nothing either.
    if 0 not in found and expected is not None:
        assert found == expected
