"""Orders of things that differ from each other in as many places as can be."""

import functools

import numpy as np


@functools.cache
def distant_permutations(count, length):
    """Some of the orders of `length` things, chosen one by one to be far from those before.

    The first is the order 0, 1, 2, ... Each next one is, of all orders, that whose smallest
    Hamming distance to those chosen is largest; among several that whose distances have the
    largest sum, and then the first in the order of a dictionary. Nothing is drawn at random.

    Args:
        count: int, from 1 to length!.
        length: int, from 1 to 9: all length! orders are gone through.

    Returns:
        Tuple of `count` tuples of `length` ints, all different.

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


def _all_orders(length):
    """All orders of 0 .. length - 1 as columns, uint8 `[length, length!]`, as a dictionary has."""
    orders = np.zeros((1, 1), dtype="uint8")
    for size in range(2, length + 1):
        first = np.arange(size, dtype="uint8").repeat(orders.shape[1])
        rest = np.tile(orders, size)
        orders = np.concatenate([first[None], rest + (rest >= first)])
    return orders
