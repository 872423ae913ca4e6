import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.gallery.calibrating import answer_curve as module
from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
from nfl_keras.gallery.calibrating.first_answers import FirstAnswers


@st.composite
def answered(draw):
    """First answers of a few queries, with their classes, all of which occur."""
    num_queries = draw(st.integers(1, 12))
    similarities = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])

    def some(values):
        return draw(st.lists(values, min_size=num_queries, max_size=num_queries))

    other = np.float32(some(st.one_of(similarities, st.just(-np.inf))))
    present = np.array(some(st.booleans()))
    right = np.array(some(st.booleans())) & present
    similarity = np.maximum(np.float32(some(similarities)), other)
    similarity = np.where(right, similarity, other)
    present &= np.isfinite(similarity)
    right &= present
    _, classes = np.unique(some(st.integers(0, 3)), return_inverse=True)
    return FirstAnswers(similarity, right, present, other), classes


def oracle(answers, classes, absent, weights, threshold):
    """Precision and recall by a loop over the queries, each in both cases."""
    in_gallery = sum(weights[c] for c, there in zip(classes, answers.present, strict=True) if there)
    everywhere = sum(weights[c] for c in classes)
    given_answers = right_answers = 0.0
    for query, label in enumerate(classes):
        if answers.present[query] and in_gallery and answers.similarity[query] >= threshold:
            weight = (1 - absent) * weights[label] / in_gallery
            given_answers += weight
            right_answers += weight * answers.right[query]
        if everywhere and answers.other_similarity[query] >= threshold:
            given_answers += absent * weights[label] / everywhere
    precision = right_answers / given_answers if given_answers else 0.0
    return precision, right_answers / (1 - absent)


@given(answered(), st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.data())
def test_matches_a_loop_over_the_queries(answered, absent, data):
    answers, classes = answered
    if not (answers.present.any() or np.isfinite(answers.other_similarity).any()):
        return
    curve = AnswerCurve(answers, classes, absent)
    count = int(classes.max()) + 1
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    precision, recall = curve.measure(weights)
    assert (np.diff(curve.thresholds) < 0).all()
    for place, threshold in enumerate(curve.thresholds):
        expected = oracle(answers, classes, absent, weights, threshold)
        np.testing.assert_allclose((precision[place], recall[place]), expected, atol=1e-12)


@given(answered(), st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_a_class_has_the_figures_of_its_own_queries(answered, absent):
    answers, classes = answered
    if not answers.present.any():
        return
    curve = AnswerCurve(answers, classes, absent)
    for place, threshold in enumerate(curve.thresholds):
        precision, recall = curve.measure_classes(place)
        for label in range(classes.max() + 1):
            only = classes == label
            there = answers.present[only].any()
            answered_any = (answers.other_similarity[only] >= threshold).any() and absent > 0
            answered_any |= (answers.similarity[only & answers.present] >= threshold).any()
            weights = np.arange(classes.max() + 1) == label
            expected = oracle(answers, classes, absent, weights, threshold)
            expected = (
                expected[0] if answered_any else np.nan,
                expected[1] if there else np.nan,
            )
            np.testing.assert_allclose((precision[label], recall[label]), expected, atol=1e-12)


def test_many_answers_are_measured_at_evenly_many_of_them(monkeypatch):
    monkeypatch.setattr(module, "MOST_THRESHOLDS", 11)
    similarity = np.linspace(1, 0.001, 1000).astype("float32")
    true = np.ones(1000, dtype=bool)
    answers = FirstAnswers(similarity, true, true, np.full(1000, -np.inf, "float32"))
    curve = AnswerCurve(answers, np.zeros(1000, dtype=np.int64), absent=0.0)
    precision, recall = curve.measure(np.ones(1))
    assert (precision == 1).all()
    assert recall == pytest.approx(np.arange(11) / 10, abs=0.002)
