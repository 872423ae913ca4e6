"""Precision and recall of first answers at each threshold, for any weights of the classes."""

import numpy as np

from nfl_keras.gallery.calibrating.first_answers import FirstAnswers

MOST_THRESHOLDS = 1000


class AnswerCurve:
    """Precision and recall of the first answers at thresholds of their similarity.

    An answer is given where its similarity is the threshold or more. Each query stands for two:
    one whose class is in the gallery, with a weight of `1 - absent`, and one whose class is not,
    with a weight of `absent`. A query whose class has no other item in the gallery stands only
    for the second.

    Args:
        answers: `FirstAnswers` `[Q]`.
        classes: int64 `[Q]`, the queries' classes, numbered from 0.
        absent: float, 0 or more and less than 1. The share of queries whose class is not in the
            gallery.

    Attributes:
        thresholds: float32 `[T]`, descending. The similarities of answers: all if they are 1,000
            or fewer, otherwise 1,000 with equally many answers between them.

    Example:

    >>> from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
    >>> from nfl_keras.gallery.calibrating.first_answers import FirstAnswers
    >>> answers = FirstAnswers(
    ...     similarity=np.float32([0.9, 0.7]),
    ...     right=np.array([True, True]),
    ...     present=np.array([True, True]),
    ...     other_similarity=np.float32([0.5, 0.7]),
    ... )
    >>> curve = AnswerCurve(answers, classes=np.array([0, 1]), absent=0.5)
    >>> precision, recall = curve.measure(np.ones(2))
    >>> curve.thresholds.tolist(), precision.round(2).tolist(), recall.tolist()
    ([0.89..., 0.69..., 0.5], [1.0, 0.67, 0.5], [0.5, 1.0, 1.0])
    """

    def __init__(self, answers: FirstAnswers, classes: np.ndarray, absent: float) -> None:
        present, other = answers.present, np.isfinite(answers.other_similarity)
        similarity = np.concatenate([answers.similarity[present], answers.other_similarity[other]])
        order = np.argsort(-similarity, kind="stable")
        right = np.concatenate([answers.right[present], np.zeros(other.sum(), dtype=bool)])
        self._right = right[order]
        self._class = np.concatenate([classes[present], classes[other]])[order]
        self._case = np.repeat([0, 1], [present.sum(), other.sum()])[order]
        count = int(classes.max()) + 1
        # Of each class, the queries that stand for the first case, and those for the second.
        self._num_queries = np.stack(
            [np.bincount(classes[present], minlength=count), np.bincount(classes, minlength=count)]
        )
        self._share = np.array([1 - absent, absent])
        ordered = similarity[order]
        # Answers of one similarity are given together: a threshold lies after the last of them.
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        if len(ends) > MOST_THRESHOLDS:
            even = np.linspace(0, len(ordered) - 1, MOST_THRESHOLDS)
            ends = np.unique(ends[np.searchsorted(ends, np.floor(even))])
        self._ends = ends
        self.thresholds = ordered[ends]

    def measure(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Computes precision and recall at each threshold.

        Args:
            weights: float or int `[C]`, how often each class counts.

        Returns:
            precision: float64 `[T]`, right answers / answers. 0 where no answer counts.
            recall: float64 `[T]`, right answers / queries whose class is in the gallery.
        """
        weight = weights[self._class] * self._per_query(weights)[self._case]
        answers = np.cumsum(weight)[self._ends]
        right = np.cumsum(weight * self._right)[self._ends]
        precision = np.divide(right, answers, out=np.zeros_like(right), where=answers > 0)
        return precision, right / self._share[0]

    def num_answers(self) -> np.ndarray:
        """Computes how many answers of equal weight tell as much as those at each threshold.

        This is (sum of weights)^2 / (sum of squared weights): the number of answers where all
        have one weight, and less where some count more than others.

        Returns:
            float64 `[T]`.
        """
        weight = self._per_query(np.ones(self._num_queries.shape[1]))[self._case]
        total, squares = np.cumsum(weight)[self._ends], np.cumsum(weight**2)[self._ends]
        return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)

    def measure_classes(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Computes each class' precision and recall at one threshold.

        Args:
            place: int, the threshold's place in `thresholds`.

        Returns:
            precision: float64 `[C]`. NaN where a class gets no answer.
            recall: float64 `[C]`. NaN where the gallery has nothing of a class.
        """
        given = slice(self._ends[place] + 1)
        count = self._num_queries.shape[1]
        answers = np.zeros((2, count))
        np.add.at(answers, (self._case[given], self._class[given]), 1)
        right = np.bincount(self._class[given][self._right[given]], minlength=count)
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = right / self._num_queries[0]
            shares = np.where(answers > 0, answers / self._num_queries, 0)
            weighted = self._share @ shares
            precision = np.where(right > 0, self._share[0] * recall, 0) / weighted
        return precision, recall

    def _per_query(self, weights: np.ndarray) -> np.ndarray:
        """Returns the weight of one query in either case."""
        counted = self._num_queries @ weights
        return np.divide(self._share, counted, out=np.zeros(2), where=counted > 0)
