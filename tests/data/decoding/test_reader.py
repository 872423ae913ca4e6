import io
import random

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from upright import upright

from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.decoding.reader import read_checked, reader
from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError


def one(read, name="a"):
    return ImageSet([name], [0], ["all"], read)


def in_a_dataset(image_set):
    return next(iter(tf.data.Dataset.range(1).map(reader(image_set))))[0]


def smooth(height, width):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def saved(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_photographs_come_out_upright(file_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(smooth(40, 60), file_format, exif=exif)
    expected = np.int32(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
    assert expected.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    image = upright(*reader(one(lambda i: content))(0))
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    assert np.abs(np.int32(image) - expected).max() <= (12 if file_format == "JPEG" else 0)


def test_a_reduced_photograph_is_turned_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(smooth(200, 300), "JPEG", exif=exif)
    image = upright(*reader(one(lambda i: content), shorter_side=100)(0))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).reduce(2)
    assert image.shape == (150, 100, 3)
    assert np.abs(np.int32(image) - np.int32(expected)).mean() < 3


def test_read_gets_a_python_int_and_may_return_trailing_zero_bytes(encoded, noise):
    # NumPy's own strings would lose the zeros.
    content = encoded(noise(4, 5)) + b"\x00\x00"
    kinds = []

    def read(position):
        kinds.append(type(position))
        return content

    assert np.array_equal(reader(one(read))(np.int64(0))[0], noise(4, 5))
    assert kinds == [int]
    assert read_checked(one(read), np.int64(0)) == (content, 1)


def test_it_runs_in_a_dataset_with_open_shapes(encoded, noise):
    files = [encoded(noise(4 + i, 9)) for i in range(5)]
    image_set = ImageSet(list("abcde"), [0] * 5, ["all"], files.__getitem__)
    dataset = tf.data.Dataset.range(5).map(reader(image_set), num_parallel_calls=2)
    specs = tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.int32)
    assert dataset.element_spec == specs
    for i, (image, orientation) in enumerate(dataset.as_numpy_iterator()):
        assert orientation == 1
        assert np.array_equal(image, noise(4 + i, 9))


@pytest.mark.parametrize("content", [b"", b"no photograph"])
def test_refusals_name_the_photograph(content):
    image_set = one(lambda i: content, name="Blüte 花/1 2.jpg")
    with pytest.raises(PhotographError, match=r"'Blüte 花/1 2\.jpg'"):
        read_checked(image_set, 0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"'Blüte 花/1 2\.jpg'"):
        in_a_dataset(image_set)


def test_whatever_read_raises_names_the_photograph():
    def read(position):
        raise KeyError("no such\nrecord")

    with pytest.raises(PhotographError, match=r"^[^\n]*'a'[^\n]*KeyError[^\n]*$"):
        read_checked(one(read), 0)
    with pytest.raises(tf.errors.OpError, match="the photograph 'a' cannot be used"):
        in_a_dataset(one(read))


def test_a_user_error_of_reading_is_passed_on():
    def read(position):
        raise UserError("the photograph 'a' leads out of the folder.")

    with pytest.raises(UserError, match=r"^the photograph 'a' leads out of the folder\.$"):
        read_checked(one(read), 0)
    with pytest.raises(tf.errors.OpError, match="leads out of the folder"):
        in_a_dataset(one(read))


_PHOTOGRAPHS = [
    saved(smooth(20, 30), "JPEG"),
    saved(smooth(20, 30), "JPEG", progressive=True),
    saved(smooth(20, 30), "PNG"),
    saved(smooth(20, 30).quantize(16), "PNG"),
    saved(smooth(20, 30), "GIF"),
    saved(smooth(20, 30), "WEBP"),
    saved(smooth(20, 30), "WEBP", save_all=True, append_images=[smooth(20, 30).rotate(90)]),
    saved(smooth(20, 30), "TIFF"),
    saved(smooth(20, 30), "BMP"),
]


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damaged TIFF and of EXIF
@settings(max_examples=400)
@given(st.sampled_from(_PHOTOGRAPHS), st.integers(0, 2**32), st.integers(1, 12))
def test_damaged_bytes_give_pixels_or_an_error(content, seed, changes):
    rng = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(changes):
        at = rng.randrange(len(damaged))
        kind = rng.choice(["replace", "header", "cut", "drop", "insert"])
        if kind == "cut" and rng.random() < 0.2:
            del damaged[at + 1 :]
        elif kind == "drop":
            del damaged[at : at + rng.randrange(1, 9)]
            damaged = damaged or bytearray(1)
        elif kind == "insert":
            damaged[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            damaged[at % 64 if kind == "header" and len(damaged) > 64 else at] = rng.randrange(256)
    damaged = bytes(damaged)
    for shorter_side in (None, 8):
        try:
            image, _ = reader(one(lambda i: damaged), shorter_side)(0)
        except (UserError, tf.errors.InvalidArgumentError):
            continue
        assert image.dtype == tf.uint8
        assert len(image.shape) == 3
        assert image.shape[2] == 3
        assert min(image.shape) > 0
