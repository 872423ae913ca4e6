import importlib
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval.evaluate import evaluate
from nfl_keras.retrieval.neighbors import neighbors

# The module's name is also its function's, which the package exports.
module = importlib.import_module("nfl_keras.retrieval.evaluate")

# The 24 vertices of the 24-cell: all inner products are multiples of 1/4, exact in any
# precision, so that ties are many and the same for everybody.
CELL = [list(v) for v in itertools.product([-0.5, 0.5], repeat=4)]
CELL += [[s * (i == j) for j in range(4)] for i in range(4) for s in (-1.0, 1.0)]
KS = (1, 2, 4, 100)


def random_unit(seed, rows, dimension):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def oracle(query, query_labels, gallery, gallery_labels, query_ids, gallery_ids, ks):
    """Every figure by loops over one query's ranking at a time; None if all are skipped."""
    rows, skipped = [], 0
    for i in range(len(query)):
        ranking = []
        for j in range(len(gallery)):
            if query_ids is None or query_ids[i] != gallery_ids[j]:
                dot = sum(float(a) * float(b) for a, b in zip(query[i], gallery[j], strict=True))
                ranking.append((-dot, j))
        hits = [int(gallery_labels[j] == query_labels[i]) for _, j in sorted(ranking)]
        if sum(hits) == 0:
            skipped += 1
            continue

        def precisions(k, hits=hits):
            return sum(sum(hits[: n + 1]) / (n + 1) for n in range(min(k, len(hits))) if hits[n])

        row = {"label": int(query_labels[i]), "map": precisions(len(hits)) / sum(hits)}
        for k in ks:
            found = sum(hits[:k])
            row["recall_at", k] = float(found > 0)
            row["precision_at", k] = found / k
            row["map_at", k] = precisions(k) / min(sum(hits), k)
            row["map_at_hits", k] = precisions(k) / found if found else 0.0
        rows.append(row)
    return rows, skipped


def check(query, query_labels, gallery=None, gallery_labels=None, query_ids=None, gallery_ids=None):
    if gallery is None:
        ids = range(len(query)) if query_ids is None else query_ids
        rows, skipped = oracle(query, query_labels, query, query_labels, ids, ids, KS)
    else:
        rows, skipped = oracle(
            query, query_labels, gallery, gallery_labels, query_ids, gallery_ids, KS
        )
    arguments = (query, query_labels, gallery, gallery_labels, query_ids, gallery_ids, KS)
    if not rows:
        with pytest.raises(UserError, match="there is nothing to find"):
            evaluate(*arguments)
        return
    report = evaluate(*arguments)
    assert (report.num_queries, report.num_skipped) == (len(rows), skipped)
    assert report.num_gallery == len(query if gallery is None else gallery)

    def mean(key, of=rows):
        return pytest.approx(math.fsum(row[key] for row in of) / len(of), abs=1e-12)

    assert report.map == mean("map")
    for name in ("recall_at", "precision_at", "map_at", "map_at_hits"):
        assert list(getattr(report, name)) == list(KS)
        for k in KS:
            assert getattr(report, name)[k] == mean((name, k)), (name, k)
    assert set(report.per_class_map) == {row["label"] for row in rows}
    for label, value in report.per_class_map.items():
        assert value == mean("map", [row for row in rows if row["label"] == label])


@st.composite
def labeled(draw, max_size):
    """Vertices of the cell under few, negative and very large labels; some classes single."""
    vectors = draw(st.lists(st.sampled_from(CELL), min_size=1, max_size=max_size))
    label = st.sampled_from([-1, 0, 1, 7, 2**31, 2**31 + 1, 2**62, 2**62 + 1])
    return vectors, draw(st.lists(label, min_size=len(vectors), max_size=len(vectors)))


@given(labeled(20))
def test_queries_against_each_other_match_the_oracle(case):
    check(*case)


@given(labeled(12), labeled(25), st.data())
def test_queries_against_a_gallery_match_the_oracle(query, gallery, data):
    check(*query, *gallery)
    ids = st.integers(0, 30)
    size = len(gallery[0])
    gallery_ids = data.draw(st.lists(ids, min_size=size, max_size=size, unique=True))
    query_ids = data.draw(st.lists(ids, min_size=len(query[0]), max_size=len(query[0])))
    check(*query, *gallery, query_ids, gallery_ids)


@given(st.integers(0, 2**32), st.integers(2, 25), st.integers(1, 6), st.integers(2, 20))
def test_random_vectors_with_duplicates_match_the_oracle(seed, rows, classes, dimension):
    rng = np.random.default_rng(seed)
    vectors = random_unit(seed, rows, dimension)[rng.integers(0, rows, rows)]
    exact = vectors.astype(np.float64)
    gaps = np.diff(np.sort(exact @ exact.T, axis=1), axis=1)
    # Duplicates tie; all others must be far enough apart for float32 to tell.
    assume(not ((gaps > 1e-12) & (gaps < 1e-6)).any())
    check(vectors, rng.integers(0, classes, rows))


@pytest.mark.parametrize("block", [1, 7])
def test_blocks_change_no_bit(monkeypatch, block):
    rng = np.random.default_rng(0)
    vectors = random_unit(0, 90, 65)[rng.integers(0, 90, 200)]
    labels = rng.integers(0, 40, 200)
    whole = evaluate(vectors, labels)
    monkeypatch.setattr(module, "BLOCK_BYTES", block * 200 * module.BYTES_PER_PAIR)
    assert evaluate(vectors, labels) == whole


def test_a_row_wider_than_a_block_is_still_ranked(monkeypatch):
    vectors, labels = random_unit(1, 30, 8), np.arange(30) % 4
    whole = evaluate(vectors, labels)
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)
    assert evaluate(vectors, labels) == whole


@pytest.mark.parametrize("crowded", [1, 10**9])
def test_products_in_float32_change_no_bit(monkeypatch, crowded):
    rng = np.random.default_rng(4)
    vectors = random_unit(4, 90, 65)[rng.integers(0, 90, 200)]
    vectors += rng.choice([0.0, 1e-7], (200, 65)).astype(np.float32)
    labels = rng.integers(0, 40, 200)
    exact = evaluate(vectors, labels)
    similarity = importlib.import_module("nfl_keras.retrieval.comparable_similarity")
    # Without the limit on relevant pairs no class is large. The other decides whether items are
    # looked at again one by one or all together.
    monkeypatch.setattr(similarity, "LARGE_CLASSES", 1)
    monkeypatch.setattr(similarity, "CROWDED", crowded)
    assert evaluate(vectors, labels) == exact


def test_its_rankings_begin_with_the_neighbors():
    rng = np.random.default_rng(2)
    places = rng.integers(0, 60, 300)
    vectors, labels = random_unit(2, 60, 33)[places], rng.integers(0, 30, 300)
    ids = rng.permutation(300)
    report = evaluate(vectors, labels, query_ids=ids, ks=(1, 3, 10))
    assert report.num_queries == 300
    for k in (1, 3, 10):
        hits = labels[neighbors(vectors, vectors, k, ids, ids)[0]] == labels[:, None]
        assert report.recall_at[k] == pytest.approx(hits.any(axis=1).mean(), abs=1e-12)
        assert report.precision_at[k] == pytest.approx(hits.mean(), abs=1e-12)


def test_a_worked_example():
    angles = np.deg2rad([0, 10, 25, 45, 70])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    report = evaluate(vectors, [0, 1, 0, 1, 2], ks=(2, 1, 2), protocol="five on a circle")
    # Rankings: 0: 1 2* 3 4; 1: 0 2 3* 4; 2: 1 3 0* 4; 3: 2 4 1* 0; 4 has nobody to find.
    assert report.map == pytest.approx((1 / 2 + 1 / 3 + 1 / 3 + 1 / 3) / 4)
    assert report.recall_at == {1: 0.0, 2: 0.25}
    assert report.precision_at == {1: 0.0, 2: 0.125}
    assert report.map_at == {1: 0.0, 2: 0.125}
    assert report.map_at_hits == {1: 0.0, 2: 0.125}
    assert report.per_class_map == pytest.approx({0: 5 / 12, 1: 1 / 3})
    assert (report.num_queries, report.num_skipped, report.num_gallery) == (4, 1, 5)
    assert report.protocol == "five on a circle"
    assert json.loads(report.to_json())["recall_at"] == {"1": 0.0, "2": 0.25}


def test_a_duplicate_under_another_id_is_a_result():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert evaluate(vectors, [0, 0, 1, 1]).map == 1.0
    assert evaluate(vectors, [0, 1, 0, 1], ks=[1]).recall_at == {1: 0.0}


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint32, np.uint64])
def test_any_integer_type_of_labels(dtype):
    vectors = random_unit(3, 12, 4)
    labels = np.arange(12) % 3
    assert evaluate(vectors, labels.astype(dtype), vectors, labels) == evaluate(
        vectors, labels, vectors, labels
    )


VECTORS = np.eye(3)
LABELS = [0, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": np.zeros((0, 3)), "query_labels": []}, "query embeddings .* are empty"),
        ({"gallery": np.zeros((0, 3)), "gallery_labels": []}, "gallery embeddings .* are empty"),
        ({"query": VECTORS * np.nan}, "row 0 of the query embeddings has NaN"),
        ({"gallery": np.eye(4), "gallery_labels": LABELS}, "have 4 dimensions and the query's 3"),
        ({"query_labels": [0, 0]}, r"query_labels has shape \[2\] for 3 embeddings"),
        ({"query_labels": [0.0, 0.0, 1.0]}, "query_labels must be integers, not float64"),
        ({"query_labels": np.array([0, 0, 2**63], np.uint64)}, "beyond 64-bit signed integers"),
        ({"query_labels": [0, 1, 2]}, "there is nothing to find"),
        ({"gallery": VECTORS}, "gallery_labels is missing"),
        ({"gallery_labels": LABELS}, "need a gallery"),
        ({"gallery_ids": [1, 2, 3]}, "need a gallery"),
        ({"gallery": VECTORS, "gallery_labels": [0, 0]}, r"gallery_labels has shape \[2\] for 3"),
        (
            {"gallery": VECTORS, "gallery_labels": LABELS, "query_ids": [1, 2, 3]},
            "gallery_ids is missing",
        ),
        (
            {"gallery": VECTORS, "gallery_labels": LABELS, "gallery_ids": [1, 2, 3]},
            "query_ids is missing",
        ),
        ({"query_ids": [1, 2, 2]}, "the id 2 is given to two gallery items"),
        ({"ks": []}, "ks is empty"),
        ({"ks": 5}, "ks must be a sequence of positive ints, not 5"),
        ({"ks": [1, 0]}, "each of ks must be a whole number of 1 or more, not 0"),
        ({"ks": [1.5]}, "each of ks must be a whole number of 1 or more, not 1.5"),
    ],
)
def test_unusable_input_is_named_in_one_line(arguments, message):
    with pytest.raises(UserError, match=message) as error:
        evaluate(**({"query": VECTORS, "query_labels": LABELS} | arguments))
    assert "\n" not in str(error.value)
