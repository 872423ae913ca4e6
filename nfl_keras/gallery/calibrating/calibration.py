"""The similarity above which an answer is a match, and how good such answers are."""

import dataclasses
import json
from typing import Any

from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Spread:
    """How a figure differs from class to class.

    Args:
        lowest: float.
        lowest_class: str, the class with the lowest figure, the first if there are several.
        quartiles: three floats: the figure that a quarter, a half and three quarters of the
            classes do not exceed.
    """

    lowest: float
    lowest_class: str
    quartiles: tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class AnswerFigures:
    """Figures at each of some thresholds, which ascend.

    Args:
        thresholds: floats.
        precision: floats.
        precision_bound: floats, which the precision exceeds with the confidence asked for.
        recall: floats.
    """

    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    precision_bound: tuple[float, ...]
    recall: tuple[float, ...]


@dataclasses.dataclass(frozen=True, repr=False)
class Calibration:
    """A threshold that `learn_threshold` learned, and its figures on the labeled queries.

    A first answer is a match if its similarity is `threshold` or more. It prints as a table.

    Args:
        threshold: float.
        precision_asked: float.
        confidence: float, with which other classes reach that precision.
        absent: float, the share of queries assumed to have no class in the gallery.
        precision: float, right answers / answers at the threshold.
        recall: float, the share of the queries whose class is in the gallery that get a right
            answer.
        threshold_interval: two floats, between which the smallest threshold of the precision
            asked for lies, for 90% of the draws of classes. The second is None if more than 5% of
            the draws never reach that precision, and the first if most never do.
        precision_interval: two floats, the same for the precision at `threshold`.
        recall_interval: two floats, the same for the recall at `threshold`.
        precision_spread: `Spread`, over the classes that get an answer.
        recall_spread: `Spread`, over the classes that have items in the gallery.
        num_silent: int, classes that get no answer.
        num_classes: int, classes of the queries.
        num_queries: int.
        num_gallery: int.
        curve: `AnswerFigures`, at 200 thresholds or fewer, `threshold` among them.
    """

    threshold: float
    precision_asked: float
    confidence: float
    absent: float
    precision: float
    recall: float
    threshold_interval: tuple[float | None, float | None]
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    precision_spread: Spread
    recall_spread: Spread
    num_silent: int
    num_classes: int
    num_queries: int
    num_gallery: int
    curve: AnswerFigures

    def to_json(self) -> str:
        """Returns the calibration as JSON text, which `from_json` reads."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """Reads what `to_json` wrote.

        Args:
            text: str.

        Returns:
            A `Calibration`, equal to the one that was written.

        Raises:
            UserError: if the text is not the JSON of a calibration.
        """
        try:
            return cls.from_dict(json.loads(text))
        except ValueError as error:
            raise UserError(
                f"this is not the JSON of a calibration ({error}); calibrate again."
            ) from error

    @classmethod
    def from_dict(cls, found: Any) -> "Calibration":
        """Makes a calibration of what `dataclasses.asdict` gives, with lists or tuples.

        Raises:
            UserError: if it is not that of a calibration.
        """
        try:
            values = {name: _tupled(value) for name, value in found.items()}
            for name, of in _PARTS.items():
                parts = {key: _tupled(value) for key, value in values[name].items()}
                values[name] = of(**parts)
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"this is not the JSON of a calibration ({error}); calibrate again."
            ) from error

    def __repr__(self) -> str:
        ends = ["none" if end is None else f"{end:.4f}" for end in self.threshold_interval]
        asked = f"precision {self.precision_asked:g} asked for, with confidence {self.confidence:g}"
        return "\n".join(
            [
                f"match: similarity of {self.threshold:.4f} or more ({asked})",
                f"{self.num_queries:,} queries of {self.num_classes:,} classes, gallery of "
                f"{self.num_gallery:,}, {self.absent:.0%} of queries without their class",
                f"{'':<11}{'all':>7}  {'90% interval':<18}{'lowest class':>12}"
                f"{'quartiles of the classes':>28}",
                f"{'threshold':<11}{'':>7}  {' to '.join(ends)}",
                _row("precision", self.precision, self.precision_interval, self.precision_spread),
                _row("recall", self.recall, self.recall_interval, self.recall_spread),
                f"lowest precision: class {self.precision_spread.lowest_class}; "
                f"classes without an answer: {self.num_silent:,}",
            ]
        )


_PARTS: dict[str, Any] = {
    "precision_spread": Spread,
    "recall_spread": Spread,
    "curve": AnswerFigures,
}


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _row(name: str, value: float, interval: tuple[float, float], spread: Spread) -> str:
    quartiles = "".join(f"{quartile:>9.4f}" for quartile in spread.quartiles)
    between = f"{interval[0]:.4f} to {interval[1]:.4f}"
    return f"{name:<11}{value:>7.4f}  {between:<18}{spread.lowest:>12.4f} {quartiles}"
