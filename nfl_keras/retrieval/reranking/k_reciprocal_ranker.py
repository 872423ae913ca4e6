"""Defines how k-reciprocal re-ranking ranks a gallery for queries."""

import numpy as np
import scipy.sparse

from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid
from nfl_keras.retrieval.reranking.neighborhoods import Neighborhoods
from nfl_keras.retrieval.reranking.searched import Searched

# Scores that differ by rounding alone are equal to so many decimals.
_DECIMALS = 12
# Bounds the rows of similarities that are held at once.
_ROWS = 256


class KReciprocalRanker:
    """The `Ranker` of `KReciprocal`.

    For each query it looks only at the vectors that its shortlist leads to: neighbors, their
    neighbors, and the half neighborhoods of these. They are the rows and columns of sparse
    matrices, and the query is their last row.

    Args:
        gallery: `Searched`.
        k1: int.
        k2: int.
        weight: float.
        shortlist: int.
    """

    def __init__(self, gallery: Searched, k1: int, k2: int, weight: float, shortlist: int) -> None:
        self._gallery, self._k1, self._k2 = gallery, k1, k2
        self._weight, self._shortlist = weight, shortlist
        # One more than k1, in case that the query's own photograph is among them.
        self._neighborhoods = Neighborhoods(gallery, k1 + 1)

    def __call__(self, query: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found, _ = self._gallery.search_others(query, self._shortlist, own)
        head = np.full_like(found, -1)
        for row, vector, shortlist, itself in zip(head, query, found, own, strict=True):
            shortlist = shortlist[shortlist >= 0]
            if shortlist.size:
                row[: len(shortlist)] = self._ranked(vector, shortlist, itself)
        return query, head

    def _ranked(self, query: np.ndarray, shortlist: np.ndarray, own: int) -> np.ndarray:
        """Returns the positions of a query's shortlist in their new order."""
        reached = self._reached(shortlist)
        reached = reached[reached != own]
        vectors = round_to_grid(np.vstack([self._gallery.vectors[reached], query]))
        similarities = exact_similarity(vectors[-1:], vectors[:-1])[0]
        places = np.searchsorted(reached, shortlist)
        places = places[np.lexsort((places, -similarities[places]))]
        neighbors = self._neighbors(reached, similarities, own, places)
        ranked = np.append(len(reached), places)
        overlap = _overlaps(self._encodings(vectors, neighbors, ranked))
        jaccard = overlap / (2 - overlap)
        score = self._weight * similarities[places] + (1 - self._weight) * jaccard
        return reached[places[np.argsort(-score.round(_DECIMALS), kind="stable")]]

    def _reached(self, shortlist: np.ndarray) -> np.ndarray:
        """Returns every position whose neighbors an encoding may depend on, ascending."""
        reached = np.sort(shortlist)
        for k in (self._k2, self._k1 + 1, self._k1 // 2 + 1):
            neighbors, _ = self._neighborhoods.of(reached)
            reached = np.union1d(reached, neighbors[:, :k])
            reached = reached[reached >= 0]
        return reached

    def _neighbors(
        self, reached: np.ndarray, similarities: np.ndarray, own: int, shortlist: np.ndarray
    ) -> np.ndarray:
        """Returns each row's k1 nearest neighbors as rows, int64 `[N + 1, k1]`, -1 for others.

        The query becomes a neighbor before those that are as similar as it, in place of its own
        photograph.
        """
        count = len(reached)
        found, similar = self._neighborhoods.of(reached)
        places = np.minimum(np.searchsorted(reached, found), count - 1)
        places[reached[places] != found] = -1
        similar[found == own] = -np.inf
        places[np.isneginf(similar)] = -1
        places = np.concatenate([np.full((count, 1), count), places], axis=1)
        similar = np.concatenate([similarities[:, None], similar], axis=1)
        order = np.argsort(-similar, axis=1, kind="stable")[:, : self._k1]
        of_query = np.full((1, self._k1), -1)
        of_query[0, : len(shortlist)] = shortlist[: self._k1]
        return np.concatenate([np.take_along_axis(places, order, axis=1), of_query])

    def _encodings(
        self, vectors: np.ndarray, neighbors: np.ndarray, ranked: np.ndarray
    ) -> scipy.sparse.csr_array:
        """Computes the mean encodings of the ranked rows, `[len(ranked), N + 1]`."""
        averaged = np.concatenate([ranked[:, None], neighbors[ranked, : self._k2 - 1]], axis=1)
        encoded = np.unique(averaged[averaged >= 0])
        members = _expanded(
            _reciprocal(neighbors)[encoded], _reciprocal(neighbors[:, : self._k1 // 2])
        )
        encodings = _weighted(members, vectors, encoded)
        mean = _adjacency(np.searchsorted(encoded, averaged), averaged >= 0, len(encoded))
        return _unit_rows(mean.astype(np.float64)) @ encodings


def _adjacency(columns: np.ndarray, used: np.ndarray, width: int) -> scipy.sparse.csr_array:
    """Makes a matrix `[N, width]` of zeros, with ones at the columns `[N, K]` that are used."""
    ends = np.append(0, used.sum(axis=1).cumsum())
    ones = np.ones(ends[-1], np.int32)
    return scipy.sparse.csr_array((ones, columns[used], ends), (len(columns), width))


def _reciprocal(neighbors: np.ndarray) -> scipy.sparse.csr_array:
    """Marks the pairs of rows that are in each other's neighborhood, themselves too."""
    itself = np.arange(len(neighbors))[:, None]
    columns = np.concatenate([itself, neighbors], axis=1)
    forward = _adjacency(columns, columns >= 0, len(neighbors))
    return forward.multiply(forward.T).tocsr()


def _expanded(
    members: scipy.sparse.csr_array, halves: scipy.sparse.csr_array
) -> scipy.sparse.csr_array:
    """Adds to each row the half neighborhoods of its members that are two thirds in it."""
    shared = (members @ halves.T).multiply(members).tocsr()
    accepted = 3 * shared.data >= 2 * halves.sum(axis=1)[shared.indices]
    shared.data = accepted.astype(np.int32)
    return members + shared @ halves


def _weighted(
    members: scipy.sparse.csr_array, vectors: np.ndarray, encoded: np.ndarray
) -> scipy.sparse.csr_array:
    """Weights the members of each encoded row by their similarity, to a sum of 1."""
    members.eliminate_zeros()
    used, columns = np.unique(members.indices, return_inverse=True)
    rows = np.repeat(np.arange(len(encoded)), np.diff(members.indptr))
    weights = np.empty(len(columns))
    for start in range(0, len(encoded), _ROWS):
        block = encoded[start : start + _ROWS]
        similarities = exact_similarity(vectors[block], vectors[used])
        part = slice(members.indptr[start], members.indptr[start + len(block)])
        weights[part] = np.exp(similarities[rows[part] - start, columns[part]] - 1.0)
    return _unit_rows(
        scipy.sparse.csr_array((weights, members.indices, members.indptr), members.shape)
    )


def _unit_rows(matrix: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Divides each row by its sum, in place. No row is empty."""
    matrix.data /= np.repeat(
        np.add.reduceat(matrix.data, matrix.indptr[:-1]), np.diff(matrix.indptr)
    )
    return matrix


def _overlaps(encodings: scipy.sparse.csr_array) -> np.ndarray:
    """Sums the smaller weights of the first row and each other one, float64 `[N - 1]`."""
    first = encodings[[0]].toarray()[0]
    smaller = np.minimum(encodings.data, first[encodings.indices])
    return np.add.reduceat(smaller, encodings.indptr[:-1])[1:]
