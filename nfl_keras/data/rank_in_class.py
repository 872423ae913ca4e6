"""Defines a random order of the photographs of each class."""

import numpy as np


def rank_in_class(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns each photograph's place in a random order of its class.

    Args:
        labels: int `[N]`.
        rng: `numpy.random.Generator`.

    Returns:
        int64 `[N]`. The places of a class of n photographs are 0 to n - 1.

    Example:

    >>> from nfl_keras.data.rank_in_class import rank_in_class
    >>> places = rank_in_class(np.array([7, 7, 9]), np.random.default_rng(0))
    >>> sorted(places[:2].tolist()), places[2].item()
    ([0, 1], 0)
    """
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank
