import io
from html import unescape

import numpy as np
import pytest
from PIL import Image
from small_catalogs import CORNERS

from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.duplicates import duplicates
from nfl_keras.gallery.faults.leaks import leaks_between_splits
from nfl_keras.gallery.faults.suspects import suspects
from nfl_keras.gallery.faults.write_fault_page import write_fault_page


def read(position):
    encoded = io.BytesIO()
    Image.new("RGB", (40, 30), (20 * position, 0, 0)).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def catalog():
    labels = ["iris"] * 4 + ["tulip", "iris", "tulip", "tulip", "pansy", "rose"]
    hashes = [0, 0, 2, 3, 4, 5, 6, 7, 8, 8]
    vectors = CORNERS[[0, 0, 0, 0, 0, 0, 15, 15, 5, 5]]
    return Catalog([f"{i}.png" for i in range(10)], labels, hashes, vectors, read)


def text(path):
    return unescape(path.read_text())


def test_each_result_is_a_section(tmp_path, catalog):
    found = [
        duplicates(catalog),
        leaks_between_splits(catalog, ["train"] * 5 + ["test"] * 5),
        suspects(catalog, k=3),
    ]
    page = text(write_fault_page(tmp_path / "faults.html", *found, title="Mine", summary="10."))
    headings = [page.index(f">{name}</h2>") for name in ("Duplicates", "Leaks", "Suspect labels")]
    assert headings == sorted(headings)
    for result in found:
        assert "; ".join(result.summary.splitlines()) + "." in page
    assert ">Mine</h1>" in page
    assert "the same file" in page
    assert ">train</span>" in page
    assert "test, 1.000" in page
    assert "iris? (margin 2.000)" in page


def test_different_labels_come_first_and_the_rest_is_counted(tmp_path, catalog):
    found = duplicates(catalog)
    assert len(found.groups) == 3
    page = text(write_fault_page(tmp_path / "faults.html", found, rows=2))
    assert "Not shown here: 1 more." in page
    assert "pansy" in page
    assert "6.png" not in page


def test_a_large_group_shows_its_first_photographs(tmp_path):
    vectors = np.ones((30, 1), "float32")
    catalog = Catalog(list(map(str, range(30))), None, range(30), vectors, lambda position: read(1))
    page = text(write_fault_page(tmp_path / "faults.html", duplicates(catalog)))
    assert page.count("<img ") == 9
    assert ">and 21 more</span>" in page
