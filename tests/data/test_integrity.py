import numpy as np
import pytest

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.integrity import check_images
from nfl_keras.errors import UserError


@pytest.fixture(scope="module")
def good(encoded, noise):
    pixels = noise(40, 60)
    return {
        "good.jpg": encoded(pixels, "JPEG"),
        "progressive.jpg": encoded(pixels, "JPEG", progressive=True),
        "grey.jpg": encoded(pixels[..., 0], "JPEG"),
        "good.png": encoded(pixels, "PNG"),
        "good.gif": encoded(pixels, "GIF"),
        "good.bmp": encoded(pixels, "BMP"),
        "one pixel.png": encoded(pixels[:1, :1], "PNG"),
        # Ends in zero bytes, which NumPy's own strings would lose.
        "black.bmp": encoded(np.zeros((5, 7, 3)), "BMP"),
    }


def check(files):
    names = list(files)

    def read(position):
        if files[names[position]] is None:
            raise FileNotFoundError(names[position])
        return files[names[position]]

    check_images(ImageSet(names, np.zeros(len(names), int), ["all"], read))


def named(files):
    with pytest.raises(UserError) as refused:
        check(files)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_good_photographs_pass(good):
    assert check(good) is None


def test_each_is_read_once(good):
    reads = []

    def read(position):
        reads.append(position)
        return good["good.jpg"]

    check_images(ImageSet(["a", "b", "c"], [0, 0, 0], ["all"], read))
    assert sorted(reads) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["good.jpg", "progressive.jpg", "good.png", "good.gif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_photographs_are_named(good, kind, share):
    whole = good[kind]
    message = named(good | {"broken": whole[: int(share * len(whole))]})
    assert message.startswith(f"1 of {len(good) + 1} photographs cannot be decoded: broken;")


@pytest.mark.parametrize("content", [b"", b"no photograph", b"\x00" * 100, None, b"\xff\xd8\xff"])
def test_other_content_and_missing_files_are_named(good, content):
    assert ": broken;" in named({"broken": content} | good)


def test_five_are_named_in_order_and_the_rest_counted(good):
    bad = {f"bad {i}": b"" if i % 2 else None for i in range(7)}
    message = named({"first": good["good.jpg"]} | bad | good)
    assert message.startswith(f"7 of {8 + len(good)} photographs")
    assert "bad 0, bad 1, bad 2, bad 3, bad 4 and 2 more;" in message


def test_what_has_no_file_is_read_too(good):
    # The set's own reading fails, with whatever its author raises.
    def read(position):
        return {"0": good["good.png"]}[str(position)]

    with pytest.raises(UserError, match="1 of 2 photographs cannot be decoded: b;"):
        check_images(ImageSet(["a", "b"], [0, 0], ["all"], read))
