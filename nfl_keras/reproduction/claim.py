"""Defines whether figures bear out what a paper claims of two rows."""

import collections
import dataclasses
import math
import statistics
from collections.abc import Mapping
from typing import Literal

import scipy.stats

from nfl_keras.reproduction.run_cell import Cell

Verdict = Literal["holds", "does not hold", "cannot be told apart"]


@dataclasses.dataclass(frozen=True)
class Claim:
    """Whether one row is above another, by the runs that both have.

    The seeds of one split share its photographs, and are no independent measurements beside other
    splits. Of several splits, each counts once, with its mean over seeds.

    Args:
        difference: float, the mean of better less worse over splits and seeds.
        margin: float, half of the mean's 95 % confidence interval, by Student's t over splits, or
            over the seeds of the only split. It is inf for one.
        over: str, what the interval is over, such as `"5 splits"`.

    Example:

    >>> from nfl_keras.reproduction.claim import Claim
    >>> from nfl_keras.reproduction.run_cell import Cell
    >>> better = {Cell(seed, 0): 0.90 + 0.01 * seed for seed in range(3)}
    >>> worse = {Cell(seed, 0): 0.80 + 0.01 * seed for seed in range(3)}
    >>> Claim.of(better, worse).verdict
    'holds'
    """

    difference: float
    margin: float
    over: str

    @classmethod
    def of(cls, better: Mapping[Cell, float], worse: Mapping[Cell, float]) -> "Claim | None":
        """Compares two rows run by run.

        Args:
            better: mapping from cells to the figure of the row that the paper has above.
            worse: the same of the row below. What is not trained has one seed, which stands for
                all.

        Returns:
            A `Claim`, or `None` if the rows share no run.
        """
        differences = collections.defaultdict(list)
        for cell, value in better.items():
            of_split = {other.seed: v for other, v in worse.items() if other.split == cell.split}
            other = of_split.get(cell.seed, next(iter(of_split.values()), None))
            if other is not None and (cell.seed in of_split or len(of_split) == 1):
                differences[cell.split].append(value - other)
        if not differences:
            return None
        [*of_splits] = differences.values()
        values, unit = of_splits[0], "seed"
        if len(of_splits) > 1:
            values, unit = [statistics.mean(of_seeds) for of_seeds in of_splits], "split"
        count = len(values)
        margin = math.inf
        if count > 1:
            error = statistics.stdev(values) / math.sqrt(count)
            margin = float(scipy.stats.t.ppf(0.975, count - 1)) * error
        over = f"{count} {unit}{'s' if count > 1 else ''}"
        return cls(statistics.mean(values), margin, over)

    @property
    def verdict(self) -> Verdict:
        """What the interval says: it is above 0, below 0, or holds 0."""
        if self.difference > self.margin:
            return "holds"
        return "does not hold" if self.difference < -self.margin else "cannot be told apart"
