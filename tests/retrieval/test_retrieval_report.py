import dataclasses
import json

import pytest

from nfl_keras.retrieval.retrieval_report import RetrievalReport

REPORT = RetrievalReport(
    recall_at={1: 0.5, 10: 0.75},
    map=0.4321,
    map_at={1: 0.5, 10: 0.25},
    map_at_hits={1: 0.5, 10: 0.625},
    precision_at={1: 0.5, 10: 0.125},
    per_class_map={-3: 0.25, 2**40: 1.0},
    num_queries=8041,
    num_skipped=3,
    num_gallery=60502,
    protocol="every test image against the rest",
)


def test_json_round_trip_keeps_every_field():
    loaded = json.loads(REPORT.to_json())
    for field in dataclasses.fields(REPORT):
        value = getattr(REPORT, field.name)
        if isinstance(value, dict):
            value = {str(key): number for key, number in value.items()}
        assert loaded.pop(field.name) == value
    assert loaded == {}


def test_it_prints_as_an_aligned_table():
    assert str(REPORT).splitlines() == [
        "every test image against the rest",
        "8,041 queries (3 more skipped: nothing to find), gallery of 60,502",
        "mAP              0.4321",
        "k                     1       10",
        "recall@k         0.5000   0.7500",
        "precision@k      0.5000   0.1250",
        "mAP@k            0.5000   0.2500",
        "mAP@k, by hits   0.5000   0.6250",
    ]
    assert repr(REPORT) == str(REPORT)


def test_a_report_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REPORT.map = 1.0
