from pathlib import PurePosixPath

import numpy as np
import pytest

from nfl_keras.report import formatting


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.92941, "92.94%"),
        (1.0, "100.00%"),
        (np.float32(0.5), "50.00%"),
        (np.int64(60502), "60,502"),
        ("12 min", "12 min"),
        (None, "—"),
        (float("nan"), "—"),
    ],
)
def test_value(number, expected):
    assert formatting.value(number) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0.5, 0.75, "+25.00"),
        (0.75, 0.5, "\N{MINUS SIGN}25.00"),
        (0.5, 0.500001, "0.00"),
        (0.500001, 0.5, "0.00"),
        (None, 0.5, ""),
        (0.5, float("nan"), ""),
        (3, 5, ""),
        ("a", "b", ""),
    ],
)
def test_change(before, after, expected):
    assert formatting.change(before, after) == expected


def test_mean_and_deviation():
    assert formatting.mean_and_deviation(0.8235, 0.012) == "82.35 ± 1.20%"
    assert formatting.mean_and_deviation(0.8235, None) == "82.35%"
    assert formatting.mean_and_deviation(255, 0.0) == "255"


def test_settings_are_flat_and_plain():
    nested = {
        "model": {"head": {"dim": 256}, "empty": {}},
        "ks": (1, 2),
        "out": PurePosixPath("runs/1"),
    }
    assert formatting.settings(nested) == [
        ("model.head.dim", "256"),
        ("model.empty", "{}"),
        ("ks", "[1, 2]"),
        ("out", "runs/1"),
    ]
    assert formatting.settings({"name": "r18", "pretext": None}) == [
        ("name", "r18"),
        ("pretext", "null"),
    ]
