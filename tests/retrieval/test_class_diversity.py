import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval.class_diversity import class_diversity


def random_unit(seed, rows, dimension, spread=1.0):
    """Unit vectors about one direction, the farther from it the greater the spread."""
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)) * spread
    vectors[:, 0] += 1
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_loops(embeddings, labels):
    """Both figures by loops over classes, pairs and singular values, in float64."""
    cosines, ranks = [], []
    for label in sorted(set(labels)):
        rows = [f.astype(np.float64) for f, k in zip(embeddings, labels, strict=True) if k == label]
        rows = [f / math.sqrt(sum(x * x for x in f)) for f in rows]
        if len(rows) < 2:
            continue
        pairs = [
            sum(x * y for x, y in zip(rows[i], rows[j], strict=True))
            for i in range(len(rows))
            for j in range(len(rows))
            if i != j
        ]
        cosines.append(sum(pairs) / len(pairs))
        centered = np.array(rows) - sum(rows) / len(rows)
        values = [v for v in np.linalg.svd(centered, compute_uv=False).tolist() if v > 1e-6]
        entropy = 0.0
        for value in values:
            share = value / sum(values)
            entropy -= share * math.log(share)
        ranks.append(math.exp(entropy))
    return sum(cosines) / len(cosines), sum(ranks) / len(ranks), len(cosines)


@pytest.mark.parametrize(("dimension", "spread"), [(2, 1.0), (5, 0.3), (40, 1.0), (40, 0.01)])
def test_figures_are_those_of_double_loops(dimension, spread):
    labels = np.array([4, 9, 4, 4, -2, 9, 7, -2, -2, -2, 4, 9, -2, 4])
    embeddings = random_unit(dimension, len(labels), dimension, spread)
    found = class_diversity(embeddings, labels)
    cosine, rank, num_classes = by_loops(embeddings, labels.tolist())
    assert abs(found.same_class_cosine - cosine) < 1e-12
    assert abs(found.effective_rank - rank) < 1e-6
    assert (found.num_classes, found.num_skipped) == (num_classes, 1) == (3, 1)


def figures(embeddings, labels=None):
    labels = np.zeros(len(embeddings), int) if labels is None else labels
    found = class_diversity(np.asarray(embeddings, dtype=np.float64), labels)
    return found.same_class_cosine, found.effective_rank


@pytest.mark.parametrize("count", [2, 3, 7, 100])
@pytest.mark.parametrize("seed", [0, 1])
def test_photographs_embedded_alike_have_cosine_1_and_differ_in_no_direction(count, seed):
    cosine, rank = figures(np.repeat(random_unit(seed, 1, 33), count, axis=0))
    assert abs(cosine - 1) < 1e-12
    assert rank == 0


@pytest.mark.parametrize("degrees", [0.01, 1, 60, 90, 180])
def test_two_photographs_differ_in_one_direction(degrees):
    angle = math.radians(degrees)
    cosine, rank = figures([[1.0, 0.0, 0.0], [math.cos(angle), math.sin(angle), 0.0]])
    assert cosine == pytest.approx(math.cos(angle), abs=1e-7)
    assert rank == 1


@pytest.mark.parametrize("count", [2, 3, 16])
def test_orthogonal_photographs_differ_in_all_directions_but_their_mean(count):
    cosine, rank = figures(np.eye(20)[:count])
    assert abs(cosine) < 1e-12
    assert rank == pytest.approx(count - 1, abs=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_opposite_photographs(dimension):
    axes = np.eye(dimension)
    cosine, rank = figures(np.concatenate([axes, -axes]))
    assert cosine == pytest.approx(-1 / (2 * dimension - 1), abs=1e-12)
    assert rank == pytest.approx(dimension, abs=1e-9)


def test_directions_in_which_photographs_differ_little_count_less():
    # Singular values sqrt(8) and sqrt(2): shares of 2/3 and 1/3.
    first, second = np.eye(3)[:2]
    cosine, rank = figures([first, -first] * 4 + [second, -second])
    assert rank == pytest.approx(3 / 2 ** (2 / 3), abs=1e-12)
    assert cosine == pytest.approx(-1 / 9, abs=1e-12)


@pytest.mark.parametrize("tilt", [0.001, 0.1, 0.6])
def test_the_mean_direction_is_no_diversity(tilt):
    # Four photographs about the first axis, as far from it along each of two others.
    level = math.sqrt(1 - tilt**2)
    around = [[level, tilt, 0], [level, -tilt, 0], [level, 0, tilt], [level, 0, -tilt]]
    cosine, rank = figures(around)
    assert rank == pytest.approx(2, abs=1e-4)
    assert cosine == pytest.approx(level**2 - tilt**2 / 3, abs=1e-7)


def test_classes_weigh_alike_whatever_their_size():
    axes = np.eye(12)
    embeddings = [*axes[:2], *np.repeat(axes[:1], 10, axis=0), *axes[:5], axes[7]]
    labels = [0] * 2 + [1] * 10 + [2] * 5 + [3]
    found = class_diversity(np.array(embeddings), labels)
    assert found.same_class_cosine == pytest.approx((0 + 1 + 0) / 3, abs=1e-12)
    assert found.effective_rank == pytest.approx((1 + 0 + 4) / 3, abs=1e-9)
    assert (found.num_classes, found.num_skipped) == (3, 1)


@given(st.integers(0, 2**32), st.integers(2, 24), st.integers(2, 12), st.integers(1, 6))
def test_figures_keep_to_their_ranges_and_to_any_order(seed, count, dimension, num_classes):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, count)
    labels[:2] = 0
    embeddings = random_unit(seed, count, dimension)
    found = class_diversity(embeddings, labels)
    largest = np.unique(labels, return_counts=True)[1].max()
    assert -1 - 1e-12 <= found.same_class_cosine <= 1 + 1e-12
    assert 1 - 1e-12 <= found.effective_rank <= min(largest - 1, dimension) + 1e-9
    assert found.num_classes + found.num_skipped == len(np.unique(labels))

    order = rng.permutation(count)
    renamed = class_diversity(embeddings[order], 10**9 - labels[order])
    assert abs(renamed.same_class_cosine - found.same_class_cosine) < 1e-12
    assert abs(renamed.effective_rank - found.effective_rank) < 1e-9

    turn = np.linalg.qr(rng.standard_normal((dimension, dimension)))[0]
    turned = class_diversity(embeddings.astype(np.float64) @ turn, labels)
    assert abs(turned.same_class_cosine - found.same_class_cosine) < 1e-5
    assert abs(turned.effective_rank - found.effective_rank) < 1e-2


def test_noise_beyond_float32_is_no_diversity():
    vector = random_unit(0, 1, 64).astype(np.float64)
    rng = np.random.default_rng(1)
    near = vector + rng.uniform(-1, 1, (20, 64)) * 2.0**-27
    cosine, rank = figures(near / np.linalg.norm(near, axis=1, keepdims=True))
    assert abs(cosine - 1) < 1e-12
    assert rank == 0


def test_memory_does_not_grow_with_pairs():
    embeddings, labels = random_unit(0, 6000, 4), np.zeros(6000, int)
    tracemalloc.start()
    class_diversity(embeddings, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6000**2 // 10


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (np.eye(3), [0, 1, 2], "each of the 3 classes has a single photograph"),
        (np.eye(3), [0, 0], r"labels has shape \[2\] for 3 embeddings"),
        (np.eye(3), [0.0, 0.0, 1.0], "labels must be integers, not float64"),
        (2 * np.eye(3), [0, 0, 1], "row 0 of the given embeddings has norm 2, not 1"),
        (np.full((2, 2), np.nan), [0, 0], "row 0 of the given embeddings has NaN"),
        (np.zeros((0, 3)), [], r"given embeddings of shape \[0, 3\] are empty"),
    ],
)
def test_what_cannot_be_measured_is_refused(embeddings, labels, message):
    with pytest.raises(UserError, match=message):
        class_diversity(embeddings, labels)
