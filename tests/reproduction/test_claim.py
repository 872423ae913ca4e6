"""Whether figures bear out what a paper claims."""

import math

import pytest

from nfl_keras.reproduction.claim import Claim
from nfl_keras.reproduction.run_cell import Cell


def cells(*values, split=0):
    return {Cell(seed, split): value for seed, value in enumerate(values)}


def test_the_interval_is_students():
    claim = Claim.of(cells(0.5, 0.7, 0.9), cells(0.4, 0.5, 0.6))
    assert claim.difference == pytest.approx(0.2)
    # 4.3027 is the 97.5 % point of t with 2 degrees of freedom, of any table.
    assert claim.margin == pytest.approx(4.3027 * 0.1 / math.sqrt(3), abs=1e-4)
    assert claim.over == "3 seeds"
    assert claim.verdict == "cannot be told apart"


@pytest.mark.parametrize(
    ("better", "verdict"),
    [
        ((0.51, 0.62, 0.71), "holds"),
        ((0.39, 0.49, 0.59), "does not hold"),
        ((0.35, 0.55, 0.62), "cannot be told apart"),
    ],
)
def test_verdicts(better, verdict):
    assert Claim.of(cells(*better), cells(0.4, 0.5, 0.6)).verdict == verdict


def test_one_run_tells_nothing():
    claim = Claim.of(cells(0.9), cells(0.1))
    assert claim.margin == math.inf
    assert claim.verdict == "cannot be told apart"


def test_runs_are_compared_with_those_of_their_split_and_seed():
    better = {Cell(0, 0): 0.5, Cell(1, 0): 0.6, Cell(0, 1): 0.9, Cell(2, 0): 0.9}
    worse = {Cell(1, 0): 0.5, Cell(0, 0): 0.4, Cell(0, 1): 0.8}
    claim = Claim.of(better, worse)
    assert (claim.over, claim.difference) == ("2 splits", pytest.approx(0.1))


def test_seeds_of_one_split_are_one_measurement_of_several():
    splits = [cells(0.5, 0.7), cells(0.6, 0.8, split=1), cells(0.7, 0.9, split=2)]
    better = {cell: value for of_split in splits for cell, value in of_split.items()}
    claim = Claim.of(better, dict.fromkeys(better, 0.5))
    assert (claim.over, claim.difference) == ("3 splits", pytest.approx(0.2))
    assert claim.margin == pytest.approx(4.3027 * 0.1 / math.sqrt(3), abs=1e-4)


def test_what_is_not_trained_has_one_seed():
    assert Claim.of(cells(0.5, 0.6), cells(0.4)).difference == pytest.approx(0.15)
    assert Claim.of(cells(0.5, 0.6), cells(0.4, split=1)) is None
