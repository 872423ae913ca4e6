"""Times a re-ranked search beside a plain one, in a gallery of clustered random vectors.

    python benchmarks/rerank_time.py --gallery 100000

A class has 50 vectors. It prints the CPU's seconds of one query alone, and of eight more in one
call.
"""

import argparse
import time

import numpy as np

from nfl_keras.retrieval import AlphaQueryExpansion, KReciprocal
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.search_reranked import search_reranked
from nfl_keras.retrieval.reranking.searched import Searched


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=256)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = np.arange(given.gallery + 9) % max(1, given.gallery // 50)
    centers = rng.standard_normal((labels.max() + 1, given.dimension), np.float32)
    vectors = centers[labels] + rng.standard_normal((len(labels), given.dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query, gallery = vectors[given.gallery :], vectors[: given.gallery]
    searched = Searched(gallery, lambda query, k: nearest(query, gallery, k))
    ways = {
        "plain": lambda query: searched.search(query, 10),
        **{
            str(rerank): lambda query, rerank=rerank: search_reranked(rerank, query, 10, searched)
            for rerank in (AlphaQueryExpansion(), KReciprocal())
        },
    }
    for name, search in ways.items():
        one, eight = _timed(search, query[:1]), _timed(search, query[1:])
        print(f"{name:<58}{one:8.3f} s  {eight:8.3f} s", flush=True)


def _timed(search, query):
    start = time.process_time()
    search(query)
    return time.process_time() - start


if __name__ == "__main__":
    main()
