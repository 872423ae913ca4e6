"""Defines reductions over chosen entries of each row of a matrix."""

from keras import ops

from nfl_keras.typing import Tensor

# Stands for an infinity. No similarity or distance comes near it, and the difference of two such
# values is 0, where inf - inf is NaN.
FAR = 1e9


def mean_over(chosen: Tensor, values: Tensor) -> Tensor:
    """Computes the mean over the chosen entries of each row.

    Args:
        chosen: bool `[R, C]`.
        values: float32 `[R, C]`.

    Returns:
        float32 `[R]`; 0 for a row without a chosen entry.
    """
    sums = ops.sum(ops.where(chosen, values, 0.0), axis=1)
    return sums / ops.maximum(count_of(chosen), 1.0)


def mean_of_violations(chosen: Tensor, values: Tensor) -> Tensor:
    """Computes the mean over the chosen entries of each row that are above 0.

    Args:
        chosen: bool `[R, C]`.
        values: float32 `[R, C]`.

    Returns:
        float32 `[R]`; 0 for a row without a chosen entry above 0.
    """
    return mean_over(ops.logical_and(chosen, values > 0.0), values)


def count_of(chosen: Tensor) -> Tensor:
    """Counts the chosen entries of each row, bool `[R, C]`, as float32 `[R]`."""
    return ops.sum(ops.cast(chosen, "float32"), axis=1)


def logsumexp_over(chosen: Tensor, values: Tensor) -> Tensor:
    """Computes the logsumexp over the chosen entries of each row, float32 `[R]`.

    It is about `-FAR` for a row without a chosen entry.
    """
    return ops.logsumexp(ops.where(chosen, values, -FAR), axis=1)


def max_over(chosen: Tensor, values: Tensor) -> Tensor:
    """Finds the largest chosen entry of each row, float32 `[R]`, or `-FAR` without one."""
    return ops.max(ops.where(chosen, values, -FAR), axis=1)


def min_over(chosen: Tensor, values: Tensor) -> Tensor:
    """Finds the smallest chosen entry of each row, float32 `[R]`, or `FAR` without one."""
    return ops.min(ops.where(chosen, values, FAR), axis=1)
