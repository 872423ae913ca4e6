"""Defines which classes make batches together if a batch is to have one super-category."""

from collections.abc import Sequence

import numpy as np


def category_groups(
    categories: Sequence[str], deals: np.ndarray, num_classes: int, num_photographs: int
) -> list[np.ndarray]:
    """Groups classes so that each group makes batches by itself.

    The super-categories with fewest classes come first. One that does not make a batch is joined
    with the next, and so on until they do. The last ones join the group before if they do not.

    Args:
        categories: sequence of str, `[C]`, the super-category of each class.
        deals: int `[C]`, photographs that a class gives to a batch.
        num_classes: int, classes that a batch needs at least.
        num_photographs: int, photographs of a batch.

    Returns:
        List of int64 arrays, which hold the positions `0 .. C - 1` once. It is one group if the
        classes do not make a batch.

    Example:

    >>> from nfl_keras.data.batches.category_groups import category_groups
    >>> category_groups(["sofa", "lamp", "sofa", "chair"], np.array([2, 2, 2, 2]), 2, 4)
    [array([1, 3]), array([0, 2])]
    """
    _, numbers, sizes = np.unique(categories, return_inverse=True, return_counts=True)
    groups: list[np.ndarray] = []
    waiting = np.empty(0, np.int64)
    for number in np.argsort(sizes, kind="stable"):
        waiting = np.union1d(waiting, np.flatnonzero(numbers == number))
        if len(waiting) >= num_classes and deals[waiting].sum() >= num_photographs:
            groups.append(waiting)
            waiting = np.empty(0, np.int64)
    if len(waiting):
        groups[-1:] = [np.union1d(waiting, groups[-1] if groups else waiting)]
    return groups
