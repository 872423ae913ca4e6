import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval.similarity import on_grid, similarities, unit_vectors


def random_unit(seed, rows, dimension):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32), st.integers(1, 300))
def test_the_sum_is_exact_and_rounded_once(seed, dimension):
    a, b = on_grid(random_unit(seed, 2, dimension))
    exact = sum(Fraction(x) * Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    assert Fraction(float(a @ b)) == exact
    assert similarities(a[None], b[None])[0, 0] == np.float32(float(exact))


def test_the_grid_moves_a_similarity_less_than_float32_resolves_at_one():
    vectors = random_unit(0, 40, 512)
    found = similarities(on_grid(vectors), on_grid(vectors))
    for i in range(40):
        for j in range(40):
            exact = math.fsum(
                x * y for x, y in zip(vectors[i].tolist(), vectors[j].tolist(), strict=True)
            )
            assert abs(found[i, j] - exact) < 2.0**-23


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_and_the_order_of_the_sum_change_no_bit(block):
    query, gallery = on_grid(random_unit(1, 37, 131)), on_grid(random_unit(2, 53, 131))
    whole = similarities(query, gallery)
    for start in range(0, 37, block):
        np.testing.assert_array_equal(
            similarities(query[start : start + block], gallery), whole[start : start + block]
        )
    order = np.random.default_rng(3).permutation(131)
    np.testing.assert_array_equal(similarities(query[:, order], gallery[:, order]), whole)


def test_other_float_types_become_float32():
    vectors = random_unit(4, 5, 64)
    for dtype in (np.float16, np.float32, np.float64):
        checked = unit_vectors(vectors.astype(dtype), "query")
        assert checked.dtype == np.float32
        assert checked.flags.c_contiguous
        np.testing.assert_allclose(checked, vectors, atol=1e-3)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1.0, 0.0], r"query embeddings must be floats of shape \[N, D\], not float64 of shape"),
        ([[1, 0]], "must be floats .* not int64"),
        (np.zeros((0, 4)), r"query embeddings of shape \[0, 4\] are empty"),
        ([[1.0, 0.0], [np.nan, 1.0]], "row 1 of the query embeddings has NaN or infinity"),
        ([[1.0, 0.0], [0.0, -np.inf]], "row 1 of the query embeddings has NaN or infinity"),
        ([[1.0, 0.0], [3.0, 4.0]], "row 1 of the query embeddings has norm 5, not 1: divide"),
        ([[1e300, 0.0]], "row 0 of the query embeddings has norm inf"),
        ([[0.0, 0.0]], "row 0 of the query embeddings has norm 0"),
    ],
)
def test_unusable_vectors_are_named(vectors, message):
    with pytest.raises(UserError, match=message):
        unit_vectors(vectors, "query")


def test_dimensions_must_agree():
    with pytest.raises(UserError, match="gallery embeddings have 2 dimensions and the query's 3"):
        unit_vectors([[1.0, 0.0]], "gallery", dimension=3)
