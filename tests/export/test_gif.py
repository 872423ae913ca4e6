import io
import struct
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.export import gif
from nfl_keras.export.gif import first_frame


def cut(content):
    return first_frame(tf.constant(content)).numpy()


def pixels(content):
    return tf.io.decode_image(content, channels=3, expand_animations=False).numpy()


def as_pillow_has_it(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def file_of(*frames, canvas=(9, 9)):
    """A GIF by the letter of its specification, of frames (left, top, width, height, color)."""
    colors = bytes(range(12))
    parts = [b"GIF89a", struct.pack("<HHBBB", *canvas, 0b10000001, 0, 0), colors]
    for left, top, width, height, color in frames:
        parts += [b"\x21\xf9\x04\0\0\0\0\0", b"\x2c"]
        parts.append(struct.pack("<HHHHB", left, top, width, height, 0))
        # Codes of three bits: clear, then a pixel; the table never fills, as each begins anew.
        codes = [code for _ in range(width * height) for code in (4, color)] + [5]
        bits = sum(code << 3 * place for place, code in enumerate(codes))
        data = bits.to_bytes(-(-3 * len(codes) // 8), "little")
        blocks = [data[start : start + 255] for start in range(0, len(data), 255)]
        parts.append(b"\x02" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0")
    return b"".join(parts) + b"\x3b"


@pytest.mark.parametrize("kind", ["GIF", "moving GIF", "interlaced GIF", "commented GIF"])
def test_the_first_frame_is_the_one_that_pillow_shows(photographs, kind):
    content = photographs[kind]
    np.testing.assert_array_equal(pixels(cut(content)), as_pillow_has_it(content))


def test_colors_of_the_frames_own_are_kept(encoded, picture):
    frames = [picture(seed=seed).quantize(256) for seed in (1, 2)]
    content = encoded(frames[1], "GIF")
    np.testing.assert_array_equal(pixels(cut(content)), np.asarray(frames[1].convert("RGB")))
    content = encoded(frames[0], "GIF", save_all=True, append_images=[frames[1]])
    np.testing.assert_array_equal(pixels(cut(content)), np.asarray(frames[0].convert("RGB")))


def test_one_frame_is_left_and_declares_its_own_size():
    content = file_of((2, 1, 5, 4, 3), (0, 0, 9, 9, 1), canvas=(60_000, 60_000))
    frame = cut(content)
    assert pixels(frame).tolist() == np.full((4, 5, 3), (9, 10, 11)).tolist()
    with Image.open(io.BytesIO(frame)) as image:
        assert image.n_frames == 1
        assert image.size == (5, 4)


def test_what_follows_the_first_frame_is_not_looked_at():
    good, bomb = file_of((0, 0, 9, 9, 2)), file_of((0, 0, 9, 9, 2), (0, 0, 9, 9, 1))
    second = bomb.rindex(b"\x2c" + bytes(4))
    bomb = bomb[: second + 5] + b"\xff\xff\xff\xff" + bomb[second + 9 :]
    assert cut(bomb) == cut(good)
    assert cut(bomb[: second + 9]) == cut(good)


@pytest.mark.parametrize("end", [6, 10, 13, 20, 26, 30, 36, 40, -2])
def test_nothing_is_left_of_a_frame_that_is_cut_off(end):
    content = file_of((0, 0, 9, 9, 2))
    assert cut(content[:end]) == b""


def test_nothing_is_left_where_there_is_no_frame():
    assert cut(file_of()) == b""


@pytest.mark.parametrize("size", [1, 2, 3, 254, 255, 256, 257, 5_000])
def test_blocks_of_any_number_and_size_are_passed_over(size):
    content = file_of((0, 0, 9, 9, 2))
    for block in (1, 7, 255):
        data = bytes(range(1, 256)) * 20
        blocks = [data[start : min(start + block, size)] for start in range(0, size, block)]
        comment = b"\x21\xfe" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"
        assert cut(content[:25] + comment + content[25:]) == cut(content)


def test_the_number_of_extensions_is_limited(monkeypatch):
    content = file_of((0, 0, 40, 40, 2))
    monkeypatch.setattr(gif, "_MAX_EXTENSIONS", 12)
    assert len(pixels(cut(content[:25] + b"\x21\xfe\x01a\0" * 11 + content[25:]))) == 40
    assert cut(content[:25] + b"\x21\xfe\x01a\0" * 12 + content[25:]) == b""


def test_the_bytes_looked_through_are_limited(monkeypatch):
    content = file_of((0, 0, 40, 40, 2), (0, 0, 40, 40, 1))
    end = content.rindex(b"\x21\xf9")
    monkeypatch.setattr(gif, "_MAX_BYTES", end)
    assert len(pixels(cut(content))) == 40
    monkeypatch.setattr(gif, "_MAX_BYTES", end - 1)
    assert cut(content) == b""


def test_a_million_blocks_take_no_time():
    content = file_of((0, 0, 9, 9, 2))
    comment = b"\x21\xfe" + b"\x01a" * 1_000_000 + b"\0"
    start = time.process_time()
    assert cut(content[:25] + comment + content[25:]) == cut(content)
    # One by one they took a minute.
    assert time.process_time() - start < 5
