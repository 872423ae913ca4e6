import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import CORNERS, drawn_catalogs, similarity_of, small_catalog

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults import similar_pairs as module
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.similar_pairs import similar_pairs


@given(
    catalog=drawn_catalogs(),
    other=st.none() | drawn_catalogs(),
    threshold=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    block=st.integers(1, 30),
)
def test_pairs_are_those_of_a_double_loop_in_any_blocks(catalog, other, threshold, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        found = sorted(
            pair
            for columns in similar_pairs(catalog, threshold, other)
            for pair in zip(*map(np.ndarray.tolist, columns), strict=True)
        )
    second = catalog if other is None else other
    assert found == [
        (i, j, similarity_of(catalog, i, second, j))
        for i in range(len(catalog))
        for j in range(len(second))
        if (other is not None or i < j) and similarity_of(catalog, i, second, j) >= threshold
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_similarities_are_exact_and_of_no_block(seed, block):
    vectors = np.random.default_rng(seed).normal(size=(40, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")
    catalog = Catalog(list(map(str, range(40))), None, range(40), vectors, lambda position: b"")
    wide = vectors.astype("float64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        found = [np.concatenate(c) for c in zip(*similar_pairs(catalog, 0.1), strict=True)]
    expected = np.einsum("pd,pd->p", wide[found[0]], wide[found[1]])
    np.testing.assert_allclose(found[2], expected, rtol=0, atol=2e-7)
    products = np.triu(wide @ wide.T, 1)
    sure = np.count_nonzero(products > 0.1 + 1e-6)
    assert sure <= len(found[0]) <= np.count_nonzero(products > 0.1 - 1e-6)


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan")])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(UserError, match="above 0, at most 1, not"):
        list(similar_pairs(small_catalog([0]), threshold))


def test_vectors_of_two_embedders_are_refused():
    other = Catalog(["a"], None, [0], np.ones((1, 1), "float32"), lambda position: b"")
    with pytest.raises(UserError, match="have 4 and 1 dimensions: compute both with one"):
        list(similar_pairs(small_catalog([0]), 0.9, other))


def test_no_matrix_of_all_similarities_is_made(monkeypatch):
    class Sliced:
        """Vectors of which only small slices can be read."""

        shape = (12, 4)

        def __len__(self):
            return 12

        def __getitem__(self, rows):
            assert rows.stop - rows.start <= 5
            return CORNERS[:12][rows]

    monkeypatch.setattr(module, "BLOCK", 5)
    catalog = small_catalog(range(12))
    object.__setattr__(catalog, "vectors", Sliced())
    assert sum(len(first) for first, _, _ in similar_pairs(catalog, 0.5)) > 0
