"""Defines whether figures bear out what a paper claims of two rows."""

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

    Args:
        difference: float, the mean of better less worse over splits and seeds.
        margin: float, half of the mean's 95 % confidence interval, by Student's t. It is inf for
            one run.
        runs: int, how many there are.

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
    runs: int

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
        differences = []
        for cell, value in better.items():
            of_split = {other.seed: v for other, v in worse.items() if other.split == cell.split}
            other = of_split.get(cell.seed, next(iter(of_split.values()), None))
            if other is not None and (cell.seed in of_split or len(of_split) == 1):
                differences.append(value - other)
        if not differences:
            return None
        runs = len(differences)
        margin = math.inf
        if runs > 1:
            error = statistics.stdev(differences) / math.sqrt(runs)
            margin = float(scipy.stats.t.ppf(0.975, runs - 1)) * error
        return cls(statistics.mean(differences), margin, runs)

    @property
    def verdict(self) -> Verdict:
        """What the interval says: it is above 0, below 0, or holds 0."""
        if self.difference > self.margin:
            return "holds"
        return "does not hold" if self.difference < -self.margin else "cannot be told apart"
