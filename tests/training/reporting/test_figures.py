import statistics

import numpy as np
import pytest

from nfl_keras.retrieval import evaluate
from nfl_keras.training.reporting.figures import (
    all_figures,
    figures,
    in_one_line,
    mean_and_deviation,
)


def test_figures_of_a_report():
    vectors = np.eye(2)[[0, 0, 1, 1]]
    report = evaluate(vectors, [0, 0, 1, 1], ks=(1, 2))
    assert figures(report) == {"Recall@1": 1.0, "Recall@2": 1.0, "mAP": 1.0}
    assert in_one_line(figures(report)) == "Recall@1 1.0000  Recall@2 1.0000  mAP 1.0000"


def test_the_deviation_is_the_samples():
    values = [0.9, 0.8, 0.95]
    mean, deviation = mean_and_deviation([{"mAP": value} for value in values])
    assert mean["mAP"] == pytest.approx(sum(values) / 3)
    assert deviation["mAP"] == pytest.approx(statistics.stdev(values))


def test_re_ranked_figures_have_names_of_their_own():
    vectors, labels = np.eye(2)[[0, 0, 1, 1]], [0, 0, 1, 1]
    assert all_figures(evaluate(vectors, labels)) == figures(evaluate(vectors, labels))
    assert all_figures(evaluate(vectors, labels, ks=[1], rerank="alpha-expansion")) == {
        "Recall@1": 1.0,
        "mAP": 1.0,
        "Recall@1, re-ranked": 1.0,
        "mAP, re-ranked": 1.0,
    }
