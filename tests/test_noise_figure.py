"""`python -m nfl_keras.noise_figure`, as a person uses it."""

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nfl_keras import noise_figure
from nfl_keras.report.noise_grid import GAP, TITLE

SIDE = 160


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photo():
    """A landscape of three squares: red, green, blue."""
    pixels = np.zeros((SIDE, 3 * SIDE, 3), np.uint8)
    for square in range(3):
        pixels[:, square * SIDE : (square + 1) * SIDE, square] = 200
    Image.fromarray(pixels).save("photo.png")
    return pixels


def draw(capsys, *arguments, output="windows.png"):
    """Runs the command, and gives the picture's first square and its number of squares."""
    noise_figure.main([*arguments, "--image-size", str(SIDE)])
    assert capsys.readouterr().out == f"{output}\n"
    with Image.open(output) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    count = (len(pixels[0]) - GAP) // (SIDE + GAP) * ((len(pixels) - GAP) // (SIDE + TITLE))
    return pixels[GAP : GAP + SIDE, GAP : GAP + SIDE], count


def fails(capsys, *arguments):
    """The one line that the command ends with, having written nothing."""
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(SystemExit) as exit_info:
        noise_figure.main([str(argument) for argument in arguments])
    assert exit_info.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert sorted(Path.cwd().rglob("*")) == before
    return printed.err


def test_the_central_square_of_a_photograph_is_drawn(photo, capsys):
    square, count = draw(capsys, "photo.png")
    np.testing.assert_array_equal(square, photo[:, SIDE : 2 * SIDE])
    assert count == 6


def test_windows_noise_and_a_place_for_the_file(photo, capsys):
    arguments = ["photo.png", "--windows", "4", "8", "--gaussian", "0.1", "--output"]
    square, count = draw(capsys, *arguments, "new/a.png", output="new/a.png")
    np.testing.assert_array_equal(square, photo[:, SIDE : 2 * SIDE])
    assert count == 4
    assert [path.name for path in Path("new").iterdir()] == ["a.png"]

    draw(capsys, *arguments, "new/b.png", output="new/b.png")
    assert Path("new/a.png").read_bytes() == Path("new/b.png").read_bytes()
    draw(capsys, *arguments, "new/c.png", "--seed", "1", output="new/c.png")
    assert Path("new/a.png").read_bytes() != Path("new/c.png").read_bytes()


def test_without_a_photograph_a_bloom_is_drawn(capsys):
    square, count = draw(capsys)
    assert square.std() > 20
    assert count == 6


def test_a_photograph_is_read_as_datasets_are(photo, capsys):
    turned = Image.fromarray(photo).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.convert("CMYK").save("cmyk.jpg", quality=95, subsampling=0, exif=exif)
    square, _ = draw(capsys, "cmyk.jpg", "--windows", "1")
    assert np.abs(square.astype(int) - photo[:, SIDE : 2 * SIDE]).mean() < 3

    Path("linked.png").symlink_to("photo.png")
    square, _ = draw(capsys, "linked.png", "--output", "b.png", output="b.png")
    np.testing.assert_array_equal(square, photo[:, SIDE : 2 * SIDE])


def bomb():
    """A PNG of a few bytes that declares 900 million pixels."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def truncated():
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero bytes"),
        (b"no picture at all", "not an image"),
        (truncated(), "truncated or damaged"),
        (bomb(), "declares too many pixels"),
    ],
)
def test_a_photograph_that_cannot_be_used_is_named(content, reason, capsys):
    Path("rose.jpg").write_bytes(content)
    assert f"the photograph 'rose.jpg' cannot be used: {reason}" in fails(capsys, "rose.jpg")


def test_no_photograph(capsys):
    assert "'rose.jpg' below" in fails(capsys, "rose.jpg")
    assert "is not a file" in fails(capsys, ".")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--windows", 4, 0], "window must be a whole number of pixels, at least 1, not 0"),
        (["--windows", -8], "window must be a whole number of pixels, at least 1, not -8"),
        (["--gaussian", -0.5], "noise must be 0 or more, not -0.5"),
        (["--image-size", 0], "--image-size must be 1 to 2,048 pixels, not 0"),
        (["--image-size", 10**9], "--image-size must be 1 to 2,048 pixels"),
        (["--output", "windows.jpg"], "--output must end in .png, not be 'windows.jpg'"),
    ],
)
def test_flags_that_cannot_be_are_answered_in_one_line(photo, flags, message, capsys):
    assert message in fails(capsys, "photo.png", *flags)


def test_nothing_is_overwritten(photo, capsys):
    assert "there is a 'photo.png' already" in fails(capsys, "photo.png", "--output", "photo.png")
    with Image.open("photo.png") as image:
        np.testing.assert_array_equal(np.asarray(image), photo)
    Path("folder.png").mkdir()
    assert "there is a 'folder.png' already" in fails(capsys, "photo.png", "--output", "folder.png")


def test_a_file_that_cannot_be_written(photo, capsys):
    below = "photo.png/windows.png"
    assert f"cannot write '{below}'" in fails(capsys, "photo.png", "--output", below)
    long = "a" * 300 + ".png"
    assert "File name too long" in fails(capsys, "photo.png", "--output", long)


def test_half_a_file_is_not_left_behind(photo, capsys, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "'windows.png' cannot be written, since the disk is full" in fails(capsys, "photo.png")


def test_help_imports_no_tensorflow():
    code = (
        "import sys; from nfl_keras import noise_figure\n"
        "try: noise_figure.main(['--help'])\n"
        "except SystemExit: sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
