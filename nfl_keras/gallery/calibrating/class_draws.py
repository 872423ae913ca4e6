"""What precision and recall would be with other classes: a bootstrap over classes."""

import numpy as np
from scipy import stats

from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve

NUM_DRAWS = 1000
_ENDS = (0.05, 0.95)  # of an interval that holds 90% of the draws
# Weights are fractions of queries, whose sums round: a precision of 9/10 may be 1e-16 below 0.9.
ROUNDING = 1e-9


class ClassDraws:
    """Precision and recall for draws of as many classes as there are, with replacement.

    Whole classes are drawn, since the queries of one class are right or wrong together. The
    gallery stays as it is.

    Args:
        curve: `AnswerCurve`.
        num_classes: int, the number C of the curve's classes.
        seed: int.

    Example:

    >>> from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
    >>> from nfl_keras.gallery.calibrating.class_draws import ClassDraws
    >>> from nfl_keras.gallery.calibrating.first_answers import FirstAnswers
    >>> similar, all_right = np.float32([0.9, 0.8, 0.7]), np.ones(3, dtype=bool)
    >>> answers = FirstAnswers(similar, all_right, all_right, other_similarity=similar - 0.25)
    >>> curve = AnswerCurve(answers, classes=np.arange(3), absent=0.5)
    >>> draws = ClassDraws(curve, num_classes=3, seed=0)
    >>> draws.precision_interval(place=1), draws.recall_interval(place=1)
    ((1.0, 1.0), (0.3333333333333333, 1.0))
    """

    def __init__(self, curve: AnswerCurve, num_classes: int, seed: int) -> None:
        self._curve, self._num_classes = curve, num_classes
        rng = np.random.default_rng(seed)
        shape = NUM_DRAWS, len(curve.thresholds)
        self._precision, self._recall = np.empty(shape), np.empty(shape)
        chances = np.full(num_classes, 1 / num_classes)
        for draw in range(NUM_DRAWS):
            weights = rng.multinomial(num_classes, chances)
            self._precision[draw], self._recall[draw] = curve.measure(weights)

    def precision_bound(self, confidence: float) -> np.ndarray:
        """Returns a lower bound of the precision at each threshold for other classes.

        It is the smaller of two. The draws show how much classes differ, but where every answer
        is right, so it is in every draw, however few the answers are. The bound of Clopper and
        Pearson for a share of that many answers shows how few they are.

        Args:
            confidence: float in 0..1.

        Returns:
            float64 `[T]`.

        Reference: Clopper and Pearson, *The use of confidence or fiducial limits illustrated in
        the case of the binomial*, 1934.
        """
        of_draws = np.quantile(self._precision, 1 - confidence, axis=0, method="lower")
        count = self._curve.num_answers()
        right = count * self._curve.measure(np.ones(self._num_classes))[0]
        of_count = np.zeros_like(count)
        some = right > 0
        wrong = np.maximum(count - right, 0)
        of_count[some] = stats.beta.ppf(1 - confidence, right[some], wrong[some] + 1)
        return np.minimum(of_draws, of_count)

    def precision_interval(self, place: int) -> tuple[float, float]:
        """Returns between which values the precision at a threshold lies in 90% of the draws."""
        low, high = np.quantile(self._precision[:, place], _ENDS, method="nearest")
        return float(low), float(high)

    def recall_interval(self, place: int) -> tuple[float, float]:
        """Returns between which values the recall at a threshold lies in 90% of the draws."""
        low, high = np.quantile(self._recall[:, place], _ENDS, method="nearest")
        return float(low), float(high)

    def threshold_interval(self, precision: float) -> tuple[float | None, float | None]:
        """Returns where the smallest threshold of a precision lies in 90% of the draws.

        Args:
            precision: float.

        Returns:
            Two floats. None stands for no threshold.
        """
        reached = self._precision >= precision - ROUNDING
        last = reached.shape[1] - 1 - reached[:, ::-1].argmax(axis=1)
        smallest = np.where(reached.any(axis=1), self._curve.thresholds[last], np.inf)
        low, high = np.quantile(smallest, _ENDS, method="nearest").tolist()
        return (low if np.isfinite(low) else None, high if np.isfinite(high) else None)
