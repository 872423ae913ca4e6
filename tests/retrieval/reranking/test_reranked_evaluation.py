"""`nfl.retrieval.evaluate` with a re-ranking."""

import dataclasses
import importlib
import json
import math

import numpy as np
import pytest
from rerank_loops import expanded_query, k_reciprocal_order, plain_order

from nfl_keras.errors import UserError
from nfl_keras.retrieval import AlphaQueryExpansion, KReciprocal, RetrievalReport, evaluate
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.search_reranked import search_reranked
from nfl_keras.retrieval.reranking.searched import Searched

RERANKS = [KReciprocal(k1=6, k2=3, shortlist=15), AlphaQueryExpansion(n=3, alpha=2)]
KS = (1, 3, 100)


def by_loops(rerank, query, gallery, own):
    if isinstance(rerank, KReciprocal):
        return k_reciprocal_order(query, gallery, own, **rerank.settings())
    expanded = expanded_query(query, gallery, own, **rerank.settings())
    return plain_order(np.array(expanded, np.float32), gallery, own)


def by_search(rerank, query, gallery, own):
    """What a search finds in a gallery without the query's own photograph."""
    others = np.delete(np.arange(len(gallery)), own if own >= 0 else [])
    left = gallery[others]
    searched = Searched(left, lambda query, k: nearest(query, left, k))
    positions, _ = search_reranked(rerank, query[None], len(left), searched)
    return others[positions[0]].tolist()


def check(report, rankings, query_labels, gallery_labels):
    """Compares a report with the means over rankings, each measured by a loop."""
    rows = []
    for ranking, label in zip(rankings, query_labels, strict=True):
        hits = [gallery_labels[g] == label for g in ranking]
        precisions = [sum(hits[: n + 1]) / (n + 1) for n, hit in enumerate(hits) if hit]
        rows.append([sum(precisions) / sum(hits), *(any(hits[:k]) for k in KS)])
    expected = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    assert [report.map, *(report.recall_at[k] for k in KS)] == pytest.approx(expected, abs=1e-12)
    assert report.num_queries == len(rankings)


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
@pytest.mark.parametrize("ranked", [by_loops, by_search])
def test_each_among_the_others_without_itself(clustered, rerank, ranked):
    vectors, labels = clustered[0][:40], clustered[1][:40]
    report = evaluate(vectors, labels, ks=KS, rerank=rerank)
    rankings = [ranked(rerank, vector, vectors, own) for own, vector in enumerate(vectors)]
    check(report.reranked, rankings, labels, labels)
    assert dataclasses.replace(report, reranked=None) == evaluate(vectors, labels, ks=KS)


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
@pytest.mark.parametrize("ranked", [by_loops, by_search])
def test_queries_in_a_gallery_that_has_some_of_them(clustered, rerank, ranked):
    vectors, labels = clustered
    query, gallery = np.arange(0, 12), np.arange(6, 60)
    report = evaluate(
        *(vectors[query], labels[query], vectors[gallery], labels[gallery], query, gallery),
        ks=KS,
        rerank=rerank,
    )
    own = [q - 6 if q >= 6 else -1 for q in query]
    rankings = [
        ranked(rerank, vectors[q], vectors[gallery], itself)
        for q, itself in zip(query, own, strict=True)
    ]
    check(report.reranked, rankings, labels[query], labels[gallery])


def test_blocks_change_no_bit(clustered, monkeypatch):
    vectors, labels = clustered[0][:60], clustered[1][:60]
    whole = evaluate(vectors, labels, rerank=RERANKS[0])
    module = importlib.import_module("nfl_keras.retrieval.evaluate")
    monkeypatch.setattr(module, "RERANKED_QUERIES", 7)
    assert evaluate(vectors, labels, rerank=RERANKS[0]) == whole


def test_the_report_prints_both_and_is_read_again(clustered):
    vectors, labels = clustered[0][:40], clustered[1][:40]
    report = evaluate(vectors, labels, ks=[1], rerank="alpha-expansion:n=2")
    printed = str(report).splitlines()
    assert printed[7] == "re-ranked, alpha-expansion:n=2,alpha=1"
    assert printed[8] == f"mAP           {report.reranked.map:9.4f}"
    again = RetrievalReport(**json.loads(report.to_json()))
    assert again.reranked.map == report.reranked.map
    assert again.reranked.rerank == "alpha-expansion:n=2,alpha=1"


def test_a_wrong_text_is_refused():
    with pytest.raises(UserError, match="there is no re-ranking 'best'"):
        evaluate(np.eye(2), [0, 0], rerank="best")
