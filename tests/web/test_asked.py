"""What a browser sends is checked, whatever it is."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nfl_keras.errors import UserError
from nfl_keras.web import asked
from nfl_keras.web.asked import WHOLE, Asked, part, read_upload


def read(uploads, **others):
    defaults = {
        "photograph": str(uploads / "rose.png"),
        "picked": "",
        "edges": WHOLE,
        "where": "",
        "k": 10,
        "threshold": "",
    }
    return Asked.read(uploads, **{**defaults, **others})


def test_a_search_as_the_page_asks_for_it(uploads):
    found = read(uploads, where=" label = rose \n\nyear > 1", k=3.0, threshold=" 0.5 ")
    content = (uploads / "rose.png").read_bytes()
    assert found == Asked(content, None, ["label = rose", "year > 1"], 3, 0.5)
    assert read(uploads, picked="iris/0.png") == Asked(None, "iris/0.png", [], 10, None)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"photograph": ""}, "choose a photograph"),
        ({"photograph": None}, "choose a photograph"),
        ({"photograph": "/etc/passwd"}, "no longer here"),
        ({"photograph": "gone.png"}, "no longer here"),
        ({"photograph": "a\0b"}, "no longer here"),
        ({"photograph": {"path": "x"}}, "no longer here"),
        ({"k": 0}, "the number of answers must be a number from 1 to 100"),
        ({"k": 101}, "from 1 to 100"),
        ({"k": None}, "from 1 to 100"),
        ({"k": float("nan")}, "from 1 to 100"),
        ({"k": True}, "from 1 to 100"),
        ({"threshold": "high"}, "the similarity of a match must be a number from -1 to 1"),
        ({"threshold": "nan"}, "from -1 to 1"),
        ({"threshold": 2}, "from -1 to 1"),
        ({"threshold": None}, "from -1 to 1"),
        ({"where": "a" * 501}, "at most 500 characters"),
        ({"where": ["label = rose"]}, "at most 500 characters"),
        ({"edges": (0, 100, 0, "x")}, "the bottom edge must be a number from 0 to 100"),
        ({"edges": (-1, 100, 0, 100)}, "the left edge"),
        ({"edges": (50, 50, 0, 100)}, "move its edges apart"),
    ],
)
def test_what_is_missing_or_out_of_range_is_said(uploads, sent, words):
    with pytest.raises(UserError, match=words):
        read(uploads, **sent)


def test_only_files_of_the_folder_are_read(uploads):
    (uploads.parent / "secret.png").write_bytes(b"secret")
    (uploads / "link.png").symlink_to(uploads.parent / "secret.png")
    for path in (uploads / ".." / "secret.png", uploads / "link.png", uploads):
        with pytest.raises(UserError, match="no longer here"):
            read_upload(uploads, str(path))


def test_a_large_photograph_is_refused(uploads, monkeypatch):
    monkeypatch.setattr(asked, "MAX_PHOTOGRAPH", 2**20)
    (uploads / "large.png").write_bytes(bytes(2**20))
    assert len(read_upload(uploads, str(uploads / "large.png"))) == 2**20
    (uploads / "large.png").write_bytes(bytes(2**20 + 1))
    with pytest.raises(UserError, match="larger than 1 MB"):
        read_upload(uploads, str(uploads / "large.png"))


PIXELS = np.arange(7 * 11 * 3, dtype=np.uint8).reshape(7, 11, 3)
percent = st.tuples(st.integers(0, 100), st.integers(0, 100)).filter(lambda pair: pair[0] < pair[1])


@given(percent, percent)
def test_a_part_holds_each_pixel_that_lies_between_the_edges(columns, rows):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    found = np.asarray(Image.open(io.BytesIO(part(file.getvalue(), (*columns, *rows)))))
    kept = [
        [i for i in range(size) if 100 * (i + 1) > low * size and 100 * i < high * size]
        for size, (low, high) in zip(PIXELS.shape, (rows, columns), strict=False)
    ]
    np.testing.assert_array_equal(found, PIXELS[np.ix_(*kept)])
