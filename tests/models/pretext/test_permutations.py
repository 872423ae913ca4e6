import itertools

import numpy as np
import pytest

from nfl_keras.models.pretext.permutations import distant_permutations


def distances(permutations):
    """The Hamming distance of each two different ones."""
    pairs = itertools.combinations(permutations, 2)
    return [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairs]


def chosen_by_loops(count, length):
    orders = list(itertools.permutations(range(length)))
    chosen = orders[:1]
    while len(chosen) < count:
        best, best_score = None, (-1, -1)
        for order in orders:
            to_chosen = [sum(a != b for a, b in zip(order, c, strict=True)) for c in chosen]
            score = (min(to_chosen), sum(to_chosen))
            if score > best_score:
                best, best_score = order, score
        chosen.append(best)
    return tuple(chosen)


@pytest.mark.parametrize(("count", "length"), [(1, 1), (2, 2), (6, 3), (24, 4), (20, 5)])
def test_each_is_as_far_from_those_before_it_as_can_be(count, length):
    assert distant_permutations(count, length) == chosen_by_loops(count, length)


def test_the_orders_of_nine_tiles_differ_in_six_places_at_least():
    permutations = distant_permutations(100, 9)
    assert all(sorted(order) == list(range(9)) for order in permutations)
    assert permutations[0] == tuple(range(9))
    apart = distances(permutations)
    assert min(apart) == 6
    assert np.mean(apart) > 8
    # Drawn at random, some are nearer.
    generator = np.random.default_rng(0)
    assert min(distances([generator.permutation(9) for _ in range(100)])) < 6


def test_fewer_are_the_first_of_more():
    assert distant_permutations(100, 9)[:7] == distant_permutations(7, 9)
