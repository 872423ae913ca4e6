import struct
import zlib

import numpy as np
import pytest

from nfl_keras.data.decoding.check_images import bad_images, check_images
from nfl_keras.data.decoding.photograph_error import TOO_LARGE
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.errors import UserError


@pytest.fixture(scope="module")
def good(encoded, noise):
    pixels = noise(40, 60)
    return {
        "good.jpg": encoded(pixels, "JPEG"),
        "progressive.jpg": encoded(pixels, "JPEG", progressive=True),
        "gray.jpg": encoded(pixels[..., 0], "JPEG"),
        "good.png": encoded(pixels, "PNG"),
        "good.gif": encoded(pixels, "GIF"),
        "good.bmp": encoded(pixels, "BMP"),
        "good.webp": encoded(pixels, "WEBP"),
        "good.tiff": encoded(pixels, "TIFF"),
        "one pixel.png": encoded(pixels[:1, :1], "PNG"),
    }


@pytest.fixture(scope="module")
def bomb():
    """A PNG of a few bytes that declares 900 million pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)


def as_set(files):
    names = list(files)

    def read(position):
        if files[names[position]] is None:
            raise FileNotFoundError(names[position])
        return files[names[position]]

    return ImageSet(names, np.zeros(len(names), int), ["all"], read)


def refusal(files):
    with pytest.raises(UserError) as refused:
        check_images(as_set(files))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_good_photographs_pass(good):
    assert check_images(as_set(good)) is None
    assert bad_images(as_set(good)) == {}


def test_good_ones_are_read_once(good):
    reads = []

    def read(position):
        reads.append(position)
        return good["good.jpg"]

    assert bad_images(ImageSet(["a", "b", "c"], [0, 0, 0], ["all"], read)) == {}
    assert sorted(reads) == [0, 1, 2]


def test_progress_counts_the_bad_ones_too(good, shown_lines):
    files = as_set({"a": good["good.jpg"], "b": b"", "c": good["good.jpg"], "d": b""})
    bad_images(files)
    assert shown_lines() == ["1 of 4 photographs checked", "3 of 4 photographs checked"]
    bad_images(files, show_progress=False)
    assert shown_lines() == []


@pytest.mark.parametrize("kind", ["good.jpg", "progressive.jpg", "good.png", "good.webp"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_truncated_photographs_are_named(good, kind, share):
    broken = good[kind][: int(share * len(good[kind]))]
    assert bad_images(as_set(good | {"broken": broken})) == {"broken": "truncated or damaged"}


def test_damage_that_only_a_whole_decoding_shows_is_found(encoded, noise):
    # Of so large a photograph training would decode an eighth of the pixels, but all bytes.
    content = encoded(noise(600, 700), "JPEG")
    assert bad_images(as_set({"cut": content[:-3000]})) == {"cut": "truncated or damaged"}


def test_reasons_are_given_in_the_sets_order(good, bomb):
    files = {
        "empty": b"",
        "Blüte 花/1 2.jpg": b"no photograph",
        "bomb.png": bomb,
        "missing": None,
        "cut.gif": good["good.gif"][:2000],
    }
    reasons = bad_images(as_set({"first": good["good.jpg"]} | files | good))
    assert list(reasons) == list(files)
    empty, not_an_image, too_large, missing, cut = reasons.values()
    assert empty == "zero bytes"
    assert not_an_image == "not an image"
    assert too_large == TOO_LARGE
    assert "more than 100,000,000" in too_large
    assert missing == "reading it ended in FileNotFoundError: missing"
    assert cut.startswith("cannot be converted to RGB (image file is truncated")


def test_the_message_names_photographs_and_reasons(good):
    message = refusal({"a b.jpg": b"", "ü.jpg": b"no photograph"} | good)
    assert message == (
        f"2 of {2 + len(good)} photographs cannot be used: a b.jpg (zero bytes), "
        f"ü.jpg (not an image); replace or remove them."
    )


def test_five_are_named_in_order_and_the_rest_counted(good):
    bad = {f"bad {i}": b"" for i in range(7)}
    message = refusal({"first": good["good.jpg"]} | bad | good)
    assert message.startswith(f"7 of {8 + len(good)} photographs")
    named = ", ".join(f"bad {i} (zero bytes)" for i in range(5))
    assert f": {named} and 2 more;" in message


def test_links_out_of_the_folder_and_missing_files_are_reasons(good, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "good.jpg").write_bytes(good["good.jpg"])
    (tmp_path / "outside.jpg").write_bytes(good["good.jpg"])
    (inside / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    image_set = file_set(inside, ["link.jpg", "good.jpg", "gone.jpg"], [0, 0, 0], ["all"])
    reasons = bad_images(image_set)
    assert list(reasons) == ["link.jpg", "gone.jpg"]
    assert "leads out of" in reasons["link.jpg"]
    assert "No such file" in reasons["gone.jpg"]


def test_a_user_error_of_reading_is_the_reason():
    def read(position):
        raise UserError("the photograph 'a' leads out of the folder.")

    image_set = ImageSet(["a"], [0], ["all"], read)
    assert bad_images(image_set) == {"a": "the photograph 'a' leads out of the folder."}


def test_real_photographs_are_good(flowers17_dir):
    files = sorted(path.name for path in (flowers17_dir / "jpg").glob("*.jpg"))[::40]
    assert files
    assert bad_images(file_set(flowers17_dir / "jpg", files, [0] * len(files), ["all"])) == {}
