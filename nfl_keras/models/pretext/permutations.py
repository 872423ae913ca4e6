"""Permutations that differ from each other in as many places as possible."""

import functools

import numpy as np


@functools.cache
def distant_permutations(count: int, length: int) -> tuple[tuple[int, ...], ...]:
    """Chooses permutations of `length` things, each as far as possible from the earlier ones.

    The first is 0, 1, 2, ... Each next one has the largest minimum of the Hamming distances to
    the chosen ones. Ties go to the largest sum of these distances, then to the first in
    lexicographic order. Nothing is random.

    Args:
        count: int, from 1 to length!.
        length: int, from 1 to 9. The function compares all length! permutations.

    Returns:
        Tuple of `count` tuples of `length` ints, all different.

    Example:

    >>> from nfl_keras.models.pretext.permutations import distant_permutations
    >>> distant_permutations(2, 3)
    ((0, 1, 2), (1, 2, 0))

    Reference: after the greedy choice of Noroozi & Favaro, Unsupervised learning of visual
    representations by solving jigsaw puzzles, ECCV 2016, who maximize the sum alone.
    """
    orders = _all_orders(length)
    smallest = np.full(orders.shape[1], length, dtype="int32")
    total = np.zeros_like(smallest)
    chosen = [0]
    while len(chosen) < count:
        distances = np.sum(orders != orders[:, chosen[-1:]], axis=0, dtype="int32")
        np.minimum(smallest, distances, out=smallest)
        total += distances
        chosen.append(int(np.argmax(smallest * (length * count) + total)))
    return tuple(tuple(int(place) for place in orders[:, i]) for i in chosen)


def _all_orders(length: int) -> np.ndarray:
    """Returns all permutations of 0 .. length - 1 as columns in lexicographic order.

    The result is uint8 `[length, length!]`.
    """
    orders = np.zeros((1, 1), dtype="uint8")
    for size in range(2, length + 1):
        first = np.arange(size, dtype="uint8").repeat(orders.shape[1])
        rest = np.tile(orders, size)
        orders = np.concatenate([first[None], rest + (rest >= first)])
    return orders
