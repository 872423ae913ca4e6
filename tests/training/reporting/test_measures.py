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


def splits(train_names, query_names, names="abcd"):
    """Splits with a photograph of each class that is trained on, and queries of these classes."""
    train = image_set([names.index(name) for name in train_names], names)
    query = image_set([names.index(name) for name in query_names], names)
    search = types.SimpleNamespace(query=query, classify=lambda model, crops: says_b(query))
    return Splits(train, search, search)


def says_b(query):
    """The probabilities of a softmax head that names the second class of training for all."""
    return np.tile(np.array([[0.1, 0.7, 0.2]], "float32"), (len(query), 1))


VECTORS = np.array([[1, 0], [0, 1], [1, 0], [0.6, 0.8]], "float32")
WITH_CLASSIFIER = types.SimpleNamespace(classifier=keras.layers.Dense(3), class_labels=[0, 1, 2])


def test_labels_are_those_of_the_dataset():
    made = splits("abc", "bbcc")
    found = measures(WITH_CLASSIFIER, made, VECTORS, crops=1)
    assert found["accuracy"] == 0.5
    assert found["diversity"]["same_class_cosine"] == pytest.approx((0.0 + 0.6) / 2)
    notes = measure_notes(found)
    assert "50.0% of queries" in notes[0]
    assert "0.300" in notes[1]


@pytest.mark.parametrize(
    ("model", "query_names"),
    [(WITH_CLASSIFIER, "bbdd"), (types.SimpleNamespace(classifier=None), "bbcc")],
)
def test_there_is_no_accuracy_without_a_classifier_of_these_classes(model, query_names):
    found = measures(model, splits("abc", query_names), VECTORS, crops=1)
    assert found["accuracy"] is None
    assert len(measure_notes(found)) == 1


def test_columns_are_the_labels_of_the_classifier():
    model = types.SimpleNamespace(classifier=keras.layers.Dense(3), class_labels=[0, 2, 3])
    made = splits("acd", "accd")
    assert measures(model, made, VECTORS, crops=1)["accuracy"] == 0.5


def test_there_is_no_diversity_where_each_class_has_one_query():
    made = splits("abc", "abc")
    found = measures(WITH_CLASSIFIER, made, VECTORS[:3], crops=1)
    assert found["diversity"] is None
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert len(measure_notes(found)) == 1
