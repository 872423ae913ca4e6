import numpy as np
import pytest
from small_catalogs import CORNERS, small_catalog

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults import catalog as module
from nfl_keras.gallery.faults.catalog import Catalog


def test_photographs_have_an_id_a_label_and_bytes():
    catalog = small_catalog([0, 1], labels=["iris", None])
    assert len(catalog) == 2
    found = catalog.photograph(1, "train")
    assert (found.id, found.label, found.part, found.read()) == ("1.jpg", None, "train", b"1")
    assert catalog.photograph(0).label == "iris"
    assert small_catalog([0]).photograph(0).label is None


@pytest.mark.parametrize("name", ["ids", "labels", "hashes"])
def test_columns_of_another_length_are_refused(name):
    columns = {"ids": ["a", "b"], "labels": None, "hashes": [0, 1]} | {name: ["a"]}
    with pytest.raises(UserError, match=f"there are 1 {name} for 2 vectors"):
        Catalog(**columns, vectors=CORNERS[:2], read=lambda position: b"")


@pytest.mark.parametrize(("factor", "norm"), [(2, "2"), (np.nan, "nan")])
def test_vectors_that_are_not_unit_vectors_are_refused_by_id(monkeypatch, factor, norm):
    monkeypatch.setattr(module, "_CHECKED", 2)
    vectors = CORNERS[:5].copy()
    vectors[3] *= factor
    with pytest.raises(UserError, match=f"the vector of 'd' has norm {norm}, not 1: divide each"):
        Catalog(list("abcde"), None, range(5), vectors, lambda position: b"")


def test_vectors_are_two_dimensional():
    with pytest.raises(UserError, match=r"have the shape \[N, D\], not \(4,\)"):
        Catalog(list("abcd"), None, range(4), CORNERS[0], lambda position: b"")
