"""`Gallery.search` and `nfl-keras search` with a re-ranking."""

import json

import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras.__main__ import main as command
from nfl_keras.gallery.query_vectors import unit_queries
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.search_reranked import search_reranked
from nfl_keras.retrieval.reranking.searched import Searched

RERANKS = [
    nfl.retrieval.KReciprocal(k1=6, k2=3, shortlist=15),
    nfl.retrieval.AlphaQueryExpansion(n=3, alpha=2),
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, png, model):
    """A gallery of 48 photographs in 6 folders, and vectors to search for with their labels."""
    root = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(1)
    colors = rng.integers(60, 190, (6, 3))
    for name, color in enumerate(colors):
        (root / "images" / str(name)).mkdir(parents=True)
        for number in range(8):
            photograph = png(tuple(np.clip(color + rng.integers(-40, 41, 3), 0, 255)))
            (root / "images" / str(name) / f"{number}.png").write_bytes(photograph)
    labels = np.arange(12) % 6
    vectors = unit_queries(colors[labels] - 127 + rng.integers(-40, 41, (12, 3)), 3)
    return nfl.Gallery.build(root / "images", model, root / "gallery", crops=1), vectors, labels


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_the_evaluation_measures_what_a_search_gives(drawn, rerank):
    gallery, queries, labels = drawn
    matches = gallery.search(queries, k=48, rerank=rerank)
    of_gallery = np.array(gallery.items["label"].to_pylist()).astype(int)
    vectors = gallery.vectors(gallery.items["id"].to_pylist())
    report = nfl.retrieval.evaluate(queries, labels, vectors, of_gallery, rerank=rerank)
    precisions, first = [], []
    for label, positions in zip(labels, matches.positions, strict=True):
        assert sorted(positions) == list(range(48))
        hits = of_gallery[positions] == label
        precisions.append((np.cumsum(hits) / np.arange(1, 49))[hits].mean())
        first.append(hits[0])
    assert report.reranked.map == pytest.approx(np.mean(precisions), abs=1e-12)
    assert report.reranked.recall_at[1] == pytest.approx(np.mean(first), abs=1e-12)
    assert report.reranked.map > report.map


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_similarities_stay_cosine_similarities(drawn, rerank):
    gallery, queries, _ = drawn
    plain = gallery.search(queries, k=48)
    matches = gallery.search(queries, k=48, rerank=rerank)
    assert (matches.positions != plain.positions).any()
    for number in range(len(queries)):
        by_position = dict(zip(plain.positions[number], plain.similarities[number], strict=True))
        expected = [by_position[position] for position in matches.positions[number]]
        assert matches.similarities[number].tolist() == expected


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_neighbors_fulfill_the_conditions_too(drawn, rerank):
    gallery, queries, _ = drawn
    ids = [name for name in gallery.items["id"].to_pylist() if name[0] in "012"]
    left = gallery.vectors(ids)
    searched = Searched(left, lambda query, k: nearest(query, left, k))
    expected, _ = search_reranked(rerank, queries, 10, searched)
    found = gallery.search(queries, k=10, where="label = 0, 1, 2", rerank=str(rerank))
    for row, positions in zip(found, expected, strict=True):
        assert [match.id for match in row] == [ids[position] for position in positions]


def test_no_match_is_said_where_no_answer_reaches_the_threshold(drawn):
    gallery, queries, _ = drawn
    matches = gallery.search(queries, k=48, rerank=RERANKS[0])
    row = next(n for n, found in enumerate(matches.similarities) if found[0] < found.max())
    first, best = matches.similarities[row, 0], matches.similarities[row].max()
    between = gallery.search(queries[row], 48, threshold=float(first + best) / 2, rerank=RERANKS[0])
    assert between[0][0].is_match is False
    assert "no match (best" not in str(between)
    above = gallery.search(queries[row], 48, threshold=1.1, rerank=RERANKS[0])
    assert f"no match (best {best:.3f}, threshold 1.100)" in str(above)


def test_the_command_re_ranks(drawn, capsys):
    gallery, _, _ = drawn
    flags = ["search", "--positive", "3/1.png", "--gallery", gallery._store.name, "-k", "9"]
    command([*flags, "--json", "--rerank", str(RERANKS[0])])
    [answer] = json.loads(capsys.readouterr().out)
    [expected] = gallery.search(positive=["3/1.png"], k=9, rerank=RERANKS[0])
    assert [match["id"] for match in answer["matches"]] == [match.id for match in expected]
    with pytest.raises(SystemExit) as stopped:
        command([*flags, "--rerank", "best"])
    assert stopped.value.code == 2
    assert "there is no re-ranking 'best'" in capsys.readouterr().err
