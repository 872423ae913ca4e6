import types

import keras
import numpy as np
import pytest

from nfl_keras.data import ImageSet
from nfl_keras.training.reporting.measures import measures
from nfl_keras.training.reporting.notes import measure_notes
from nfl_keras.training.splits import Splits


def image_set(labels, class_names):
    """White photographs of class 0, black ones of class 1 and so on."""
    return ImageSet([str(i) for i in range(len(labels))], labels, class_names, lambda i: None)


def splits(train_names, query_labels, query_names):
    train = image_set(np.arange(len(train_names), dtype="int32"), train_names)
    query = image_set(np.array(query_labels, "int32"), query_names)
    search = types.SimpleNamespace(query=query)
    return Splits(train, search, search)


@pytest.fixture
def probabilities(monkeypatch):
    """What the softmax head is made to say: always the class 'b', the second of training."""

    def classify(model, query, crops):
        return np.tile(np.array([[0.1, 0.7, 0.2]], "float32"), (len(query), 1))

    monkeypatch.setattr("nfl_keras.training.reporting.measures.classify", classify)


VECTORS = np.array([[1, 0], [0, 1], [1, 0], [0.6, 0.8]], "float32")
WITH_CLASSIFIER = types.SimpleNamespace(classifier=keras.layers.Dense(3))


def test_classes_are_matched_by_name(probabilities):
    made = splits(["a", "b", "c"], [0, 0, 1, 1], ["b", "c"])
    found = measures(WITH_CLASSIFIER, made, VECTORS, crops=1)
    assert found["accuracy"] == 0.5
    assert found["diversity"]["same_class_cosine"] == pytest.approx((0.0 + 0.6) / 2)
    notes = measure_notes(found)
    assert "50.0% of queries" in notes[0]
    assert "0.300" in notes[1]


@pytest.mark.parametrize(
    ("model", "query_names"),
    [(WITH_CLASSIFIER, ["b", "d"]), (types.SimpleNamespace(), ["b", "c"])],
)
def test_there_is_no_accuracy_without_a_classifier_of_these_classes(
    probabilities, model, query_names
):
    found = measures(model, splits(["a", "b", "c"], [0, 0, 1, 1], query_names), VECTORS, crops=1)
    assert found["accuracy"] is None
    assert len(measure_notes(found)) == 1


def test_there_is_no_diversity_where_each_class_has_one_query(probabilities):
    made = splits(["a", "b", "c"], [0, 1, 2], ["a", "b", "c"])
    found = measures(WITH_CLASSIFIER, made, VECTORS[:3], crops=1)
    assert found["diversity"] is None
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert len(measure_notes(found)) == 1
