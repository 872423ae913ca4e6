import numpy as np
import pytest

from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
from nfl_keras.gallery.calibrating.class_draws import ClassDraws
from nfl_keras.gallery.calibrating.first_answers import FirstAnswers

NUM_CLASSES = 40


@pytest.fixture(scope="module")
def curve():
    """40 classes of 10 queries at similarity 0.9; of class c the first c // 4 are right."""
    classes = np.repeat(np.arange(NUM_CLASSES), 10)
    right = np.tile(np.arange(10), NUM_CLASSES) < classes // 4
    similarity = np.full(len(classes), 0.9, dtype=np.float32)
    present = np.ones(len(classes), dtype=bool)
    answers = FirstAnswers(similarity, right, present, np.full(len(classes), -np.inf))
    return AnswerCurve(answers, classes, absent=0.0)


def test_draws_are_as_wide_as_the_mean_over_classes_is_uncertain(curve):
    draws = ClassDraws(curve, NUM_CLASSES, seed=0)
    of_class = (np.arange(NUM_CLASSES) // 4) / 10
    half = 1.645 * of_class.std() / np.sqrt(NUM_CLASSES)
    expected = (of_class.mean() - half, of_class.mean() + half)
    assert draws.precision_interval(0) == pytest.approx(expected, abs=0.01)
    assert draws.recall_interval(0) == pytest.approx(draws.precision_interval(0))
    assert draws.precision_bound(0.95)[0] == pytest.approx(expected[0], abs=0.01)
    assert draws.precision_bound(0.5)[0] == pytest.approx(of_class.mean(), abs=0.01)


def test_the_seed_alone_decides_the_draws(curve):
    def bound(seed):
        return ClassDraws(curve, NUM_CLASSES, seed).precision_bound(0.9).tolist()

    assert bound(1) == bound(1)
    assert len({tuple(bound(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("precision", "interval"),
    [(0.2, (0.9, 0.9)), (0.45, (0.9, None)), (0.9, (None, None))],
)
def test_no_threshold_is_none(curve, precision, interval):
    low, high = ClassDraws(curve, NUM_CLASSES, seed=0).threshold_interval(precision)
    expected = tuple(end if end is None else float(np.float32(end)) for end in interval)
    assert (low, high) == expected


@pytest.mark.parametrize(("absent", "count"), [(0.0, 60), (0.5, 60)])
def test_few_answers_show_little_even_if_all_are_right(absent, count):
    classes = np.arange(count) % 30
    present = np.ones(count, dtype=bool)
    similarity = np.linspace(0.9, 0.8, count).astype("float32")
    answers = FirstAnswers(similarity, present, present, np.zeros(count, dtype=np.float32))
    draws = ClassDraws(AnswerCurve(answers, classes, absent), 30, seed=0)
    # n of n are right with probability p^n, which is 1 - confidence at the bound.
    for confidence in (0.5, 0.95):
        expected = (1 - confidence) ** (1 / np.arange(1, count + 1))
        bound = draws.precision_bound(confidence)[:count]
        assert bound[20:] == pytest.approx(expected[20:])
        assert (bound <= expected + 1e-12).all()


def test_answers_of_unequal_weight_tell_less():
    classes = np.arange(20)
    right = np.ones(20, dtype=bool)
    answers = FirstAnswers(np.full(20, 0.9), right, right, np.full(20, 0.9))
    assert AnswerCurve(answers, classes, absent=0.5).num_answers() == pytest.approx([40])
    weights = np.repeat([0.9, 0.1], 20)
    expected = weights.sum() ** 2 / (weights**2).sum()
    assert AnswerCurve(answers, classes, absent=0.1).num_answers() == pytest.approx([expected])
