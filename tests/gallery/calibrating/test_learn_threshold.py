import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold


def learn(vectors, labels, **options):
    """Learns from photographs of which each is searched for among the others."""
    ids = np.arange(len(vectors))
    return learn_threshold(vectors, labels, vectors, labels, ids, ids, **options)


def oracle(vectors, labels, threshold, absent):
    """Precision and recall at a threshold, by searching with and without each query's class."""
    exact = vectors.astype(np.float64)
    given_answers = right = 0.0
    for number in range(len(exact)):
        for missing, weight in ((False, 1 - absent), (True, absent)):
            kept = labels != labels[number] if missing else np.arange(len(exact)) != number
            similarities = exact[kept] @ exact[number]
            if np.float32(similarities.max()) >= threshold - 1e-6:
                given_answers += weight
                right += weight * (labels[kept][similarities.argmax()] == labels[number])
    return right / given_answers, right / (1 - absent) / len(exact)


@pytest.mark.parametrize("absent", [0.0, 0.2, 0.5])
def test_figures_are_those_of_searches_with_and_without_the_class(clustered, absent):
    vectors, labels = clustered(20, 6, noise=0.6)
    learned = learn(vectors, labels, precision=0.9, absent=absent, confidence=0.8)
    found = learned.precision, learned.recall
    assert found == pytest.approx(oracle(vectors, labels, learned.threshold, absent))
    curve = learned.curve
    for place in range(0, len(curve.thresholds), 20):
        found = curve.precision[place], curve.recall[place]
        assert found == pytest.approx(oracle(vectors, labels, curve.thresholds[place], absent))


def test_the_threshold_is_the_smallest_that_reaches_the_precision(clustered):
    vectors, labels = clustered(20, 5, noise=0.8)
    learned = learn(vectors, labels, precision=0.9)
    bounds = dict(zip(learned.curve.thresholds, learned.curve.precision_bound, strict=True))
    reached = [threshold for threshold, bound in bounds.items() if bound >= 0.9]
    assert len(bounds) < 199  # all thresholds, so that none is left out of the curve
    assert learned.threshold == min(reached)
    assert learned.precision_interval[0] >= 0.9
    assert learned.precision >= learned.precision_interval[0]
    assert learned.threshold_interval[0] <= learned.threshold


def test_more_is_asked_for_at_higher_thresholds(clustered):
    vectors, labels = clustered(20, 6, noise=0.6)

    def threshold(**options):
        return learn(vectors, labels, **options).threshold

    assert threshold(precision=0.8) < threshold(precision=0.9) < threshold(precision=0.95)
    assert threshold(confidence=0.5) < threshold(confidence=0.95)
    assert threshold(absent=0.1) < threshold(absent=0.5)


def test_precision_holds_on_classes_never_seen(clustered):
    vectors, labels = clustered(200, 6, noise=0.5)
    ids = np.arange(len(vectors))
    seen = labels < "class 100"
    given = (vectors[seen], labels[seen], vectors, labels, ids[seen], ids)
    learned = learn_threshold(*given, precision=0.9)
    unseen = (vectors[~seen], labels[~seen], vectors, labels, ids[~seen], ids)
    curve = learn_threshold(*unseen, precision=0.9).curve
    place = np.searchsorted(curve.thresholds, learned.threshold)
    assert 0.9 <= curve.precision[place] < 0.95


def test_spread_is_over_the_classes(clustered):
    vectors, labels = clustered(20, 6, noise=0.3)
    # A class whose photographs lie among those of another is never right.
    vectors[labels == "class 007"] = vectors[labels == "class 008"]
    learned = learn(vectors, labels, precision=0.8, confidence=0.5)
    assert learned.precision_spread.lowest < 0.8
    assert learned.precision_spread.lowest_class in ("class 007", "class 008")
    assert learned.recall_spread.quartiles == (1.0, 1.0, 1.0)
    assert (learned.num_classes, learned.num_queries, learned.num_gallery) == (20, 120, 120)


def test_queries_need_not_be_in_the_gallery(clustered):
    vectors, labels = clustered(20, 6, noise=0.5)
    gallery, query = np.arange(120) % 6 < 4, np.arange(120) % 6 >= 4
    learned = learn_threshold(
        vectors[query], labels[query], vectors[gallery], labels[gallery], precision=0.8
    )
    assert (learned.num_queries, learned.num_gallery) == (40, 80)
    half = vectors[gallery].astype("float16")
    learned_of_half = learn_threshold(
        vectors[query], labels[query], half, labels[gallery], precision=0.8
    )
    assert learned_of_half.threshold == pytest.approx(learned.threshold, abs=0.02)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"precision": 0.0}, "precision must be more than 0 and at most 1, not 0.0"),
        ({"precision": 95}, "precision must be more than 0 and at most 1, not 95"),
        ({"absent": 1.0}, "absent must be 0 or more and less than 1, not 1.0"),
        ({"confidence": 1.0}, "confidence must be at least 0.5 and less than 1, not 1.0"),
    ],
)
def test_shares_out_of_range_are_refused(clustered, options, reason):
    with pytest.raises(UserError, match=reason):
        learn(*clustered(6, 4, noise=0.3), **options)


def test_too_few_classes_or_queries_are_refused(clustered):
    with pytest.raises(UserError, match="40 labeled queries of 4 classes are too few"):
        learn(*clustered(4, 10, noise=0.3))
    with pytest.raises(UserError, match="18 labeled queries of 6 classes are too few"):
        learn(*clustered(6, 3, noise=0.3))


def test_a_precision_that_is_never_reached_says_what_is(clustered):
    vectors, labels = clustered(10, 5, noise=0.3)
    shuffled = np.random.default_rng(0).permutation(labels)
    reason = r"0\.95 is not reached at any similarity .* the highest is 0\.\d{3}, at 0\.\d{4}: ask"
    with pytest.raises(UserError, match=reason):
        learn(vectors, shuffled)


def test_galleries_that_tell_nothing_are_refused(clustered):
    vectors, labels = clustered(30, 1, noise=0.3)
    with pytest.raises(UserError, match="no other photograph of any query's class"):
        learn(vectors, labels)
    one = np.full(30, "class 000")
    with pytest.raises(UserError, match="no second class"):
        learn(vectors, one)
    with pytest.raises(UserError, match="gallery embeddings have 8 dimensions and the query's 16"):
        learn_threshold(vectors, labels, vectors[:, :8], labels)
