"""Defines how the threshold of a match is learned from labeled queries."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
from nfl_keras.gallery.calibrating.calibration import AnswerFigures, Calibration, Spread
from nfl_keras.gallery.calibrating.class_draws import ROUNDING, ClassDraws
from nfl_keras.gallery.calibrating.first_answers import first_answers
from nfl_keras.gallery.calibrating.numbered_classes import numbered_classes
from nfl_keras.retrieval.checks import unit_vectors
from nfl_keras.retrieval.nearest import Vectors
from nfl_keras.retrieval.self_exclusion import own_positions

_FEWEST_CLASSES, _FEWEST_QUERIES = 5, 20
_MOST_POINTS = 200  # of the curve in a calibration


def learn_threshold(
    query: ArrayLike,
    query_labels: ArrayLike,
    gallery: Vectors,
    gallery_labels: ArrayLike,
    query_ids: ArrayLike | None = None,
    gallery_ids: ArrayLike | None = None,
    precision: float = 0.95,
    absent: float = 0.5,
    confidence: float = 0.95,
    seed: int = 0,
) -> Calibration:
    """Learns the similarity from which a first answer is right at a chosen precision.

    Each query is searched for twice. First its class is in the gallery: the answer is the nearest
    item but its own photograph, and may be right. Then its class is missing: the answer is the
    nearest item of another class, and is wrong. `absent` weighs the two. The threshold is the
    smallest similarity at which right answers / answers reach `precision` with `confidence`: for
    that share of 1,000 draws of as many classes, with replacement, and by the exact bound for
    so few answers (0.95 takes 59 right answers and no wrong one, 0.99 takes 299).

    Three assumptions stand behind the figures:

    - The classes of the queries are like those that will be searched for. A model may know the
      photographs it was trained on by heart, so a threshold learned on their classes is too
      optimistic for others. Take classes that the model has not seen.
    - The gallery is the one to be searched, or one of its size and kind. The larger a gallery,
      the more similar is the nearest item of another class, so a threshold learned in a small one
      is too low for a large one.
    - `absent` of the queries have no class in the gallery.

    Draws of 8 classes tell little about a ninth. Take 30 classes or more where there are so many.

    Args:
        query: float `[Q, D]`, unit vectors.
        query_labels: integers or strings `[Q]`, the queries' classes.
        gallery: `nfl_keras.retrieval.nearest.Vectors`, float32 or float16 `[G, D]`, unit vectors.
        gallery_labels: integers or strings `[G]`.
        query_ids: integers or strings `[Q]`. The gallery item with a query's own id is no answer.
            Needed where a query's own photograph is in the gallery. Defaults to `None`.
        gallery_ids: integers or strings `[G]`, unique. Required with `query_ids`.
        precision: float, more than 0 and at most 1. Defaults to `0.95`.
        absent: float, 0 or more and less than 1, the share of queries whose class is not in the
            gallery. Defaults to `0.5`.
        confidence: float, at least 0.5 and less than 1. 0.5 asks for the precision on average,
            and about half of other sets of classes stay below it. Defaults to `0.95`.
        seed: int, of the draws. Defaults to `0`.

    Returns:
        A `Calibration`.

    Raises:
        UserError: if vectors, labels or ids cannot be used, there are fewer than 5 classes or 20
            queries, no query's class is in the gallery, or the precision is never reached.

    Example:

    >>> from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(np.arange(30), 10)
    >>> vectors = rng.normal(size=(30, 16))[labels] + 0.5 * rng.normal(size=(300, 16))
    >>> vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")
    >>> ids = np.arange(300)
    >>> learn_threshold(vectors, labels, vectors, labels, ids, ids, precision=0.9)
    match: similarity of 0.7467 or more (precision 0.9 asked for, with confidence 0.95)
    300 queries of 30 classes, gallery of 300, 50% of queries without their class
                   all  90% interval      lowest class    quartiles of the classes
    threshold           0.6835 to 0.7467
    precision   0.9365  0.9052 to 0.9676        0.6667    0.9091   1.0000   1.0000
    recall      0.9833  0.9600 to 1.0000        0.6000    1.0000   1.0000   1.0000
    lowest precision: class 13; classes without an answer: 0
    """
    _check_shares(precision, absent, confidence)
    query = unit_vectors(query, "query")
    if gallery.shape[1] != query.shape[1]:
        raise UserError(
            f"gallery embeddings have {gallery.shape[1]} dimensions and the query's "
            f"{query.shape[1]}: compute both with one embedder."
        )
    names, of_query, of_gallery = numbered_classes(
        query_labels, len(query), gallery_labels, len(gallery)
    )
    own = own_positions(query_ids, gallery_ids, len(query), len(gallery))
    answers = first_answers(query, of_query, gallery, of_gallery, own)
    if not answers.present.any():
        raise UserError(
            "the gallery has no other photograph of any query's class: add labeled photographs."
        )
    if np.isneginf(answers.other_similarity).all():
        raise UserError("the gallery has no second class: add photographs of other classes.")
    used, classes = np.unique(of_query, return_inverse=True)
    _check_counts(len(used), len(query))
    curve = AnswerCurve(answers, classes, absent)
    figures = curve.measure(np.ones(len(used)))
    draws = ClassDraws(curve, len(used), seed)
    bound = draws.precision_bound(confidence)
    place = _smallest(curve.thresholds, bound, precision, confidence)
    of_classes = curve.measure_classes(place)
    return Calibration(
        threshold=float(curve.thresholds[place]),
        precision_asked=float(precision),
        confidence=float(confidence),
        absent=float(absent),
        precision=float(figures[0][place]),
        recall=float(figures[1][place]),
        threshold_interval=draws.threshold_interval(precision),
        precision_interval=draws.precision_interval(place),
        recall_interval=draws.recall_interval(place),
        precision_spread=_spread(of_classes[0], names[used]),
        recall_spread=_spread(of_classes[1], names[used]),
        num_silent=int(np.isnan(of_classes[0]).sum()),
        num_classes=len(used),
        num_queries=len(query),
        num_gallery=len(gallery),
        curve=_thinned([curve.thresholds, figures[0], bound, figures[1]], place),
    )


def _check_shares(precision: float, absent: float, confidence: float) -> None:
    if not 0 < precision <= 1:
        raise UserError(f"precision must be more than 0 and at most 1, not {precision}.")
    if not 0 <= absent < 1:
        raise UserError(
            f"absent must be 0 or more and less than 1, not {absent}: it is the share of queries "
            "whose class is not in the gallery."
        )
    if not 0.5 <= confidence < 1:
        raise UserError(f"confidence must be at least 0.5 and less than 1, not {confidence}.")


def _check_counts(num_classes: int, num_queries: int) -> None:
    if num_classes < _FEWEST_CLASSES or num_queries < _FEWEST_QUERIES:
        raise UserError(
            f"{num_queries:,} labeled queries of {num_classes:,} classes are too few to learn a "
            f"threshold from: give {_FEWEST_QUERIES} or more, of {_FEWEST_CLASSES} classes or "
            "more (30 are better)."
        )


def _smallest(
    thresholds: np.ndarray, bound: np.ndarray, precision: float, confidence: float
) -> int:
    """Returns the place of the smallest threshold whose precision is high enough."""
    reached = np.flatnonzero(bound >= precision - ROUNDING)
    if not reached.size:
        best = bound.argmax()
        raise UserError(
            f"precision {precision:g} is not reached at any similarity with confidence "
            f"{confidence:g}; the highest is {bound[best]:.3f}, at {thresholds[best]:.4f}: ask for "
            "less, label more queries, lower absent if fewer of them lack their class, or train "
            "the model further."
        )
    return int(reached[-1])


def _spread(figures: np.ndarray, names: np.ndarray) -> Spread:
    lowest = int(np.nanargmin(figures))
    quarter, half, three_quarters = np.nanquantile(figures, (0.25, 0.5, 0.75)).tolist()
    return Spread(
        lowest=float(figures[lowest]),
        lowest_class=str(names[lowest]),
        quartiles=(quarter, half, three_quarters),
    )


def _thinned(figures: list[np.ndarray], place: int) -> AnswerFigures:
    """Returns figures at 200 thresholds at most, of which `place` is one, in ascending order."""
    even = np.linspace(len(figures[0]) - 1, 0, min(len(figures[0]), _MOST_POINTS - 1))
    kept = np.unique(np.append(np.rint(even).astype(np.int64), place))[::-1]
    return AnswerFigures(*(tuple(figure[kept].tolist()) for figure in figures))
