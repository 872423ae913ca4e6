import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid, rounding_bound


def random_unit(seed, rows, dimension):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32), st.integers(1, 300))
def test_the_sum_is_exact_and_rounded_once(seed, dimension):
    a, b = round_to_grid(random_unit(seed, 2, dimension))
    exact = sum(Fraction(x) * Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    assert Fraction(float(a @ b)) == exact
    assert exact_similarity(a[None], b[None])[0, 0] == np.float32(float(exact))


def test_the_grid_moves_a_similarity_less_than_float32_resolves_at_one():
    vectors = random_unit(0, 40, 512)
    found = exact_similarity(round_to_grid(vectors), round_to_grid(vectors))
    for i in range(40):
        for j in range(40):
            exact = math.fsum(
                x * y for x, y in zip(vectors[i].tolist(), vectors[j].tolist(), strict=True)
            )
            assert abs(found[i, j] - exact) < 2.0**-23


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_and_the_order_of_the_sum_change_no_bit(block):
    query, gallery = round_to_grid(random_unit(1, 37, 131)), round_to_grid(random_unit(2, 53, 131))
    whole = exact_similarity(query, gallery)
    for start in range(0, 37, block):
        np.testing.assert_array_equal(
            exact_similarity(query[start : start + block], gallery), whole[start : start + block]
        )
    order = np.random.default_rng(3).permutation(131)
    np.testing.assert_array_equal(exact_similarity(query[:, order], gallery[:, order]), whole)


@given(st.integers(0, 2**32), st.integers(1, 300), st.sampled_from([0.999, 1.0, 1.001]))
def test_a_float32_sum_in_any_order_stays_within_the_bound(seed, dimension, norm):
    rng = np.random.default_rng(seed)
    # Vectors of one direction, without negative components, round the most.
    vector = np.abs(random_unit(seed, 1, dimension)) * np.float32(norm)
    exact = exact_similarity(round_to_grid(vector), round_to_grid(vector))[0, 0]
    total = np.float32(0)
    for component in rng.permutation(vector[0]):
        total += component * component
    assert total.dtype == np.float32
    assert abs(float(total) - float(exact)) < rounding_bound(dimension)
