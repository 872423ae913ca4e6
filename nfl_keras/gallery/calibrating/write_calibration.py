"""The page about a calibration."""

import pathlib

import numpy as np

from nfl_keras.files import write_whole
from nfl_keras.gallery.calibrating.calibration import Calibration, Spread
from nfl_keras.report import Panel
from nfl_keras.report.draw_lines import draw_lines
from nfl_keras.report.formatting import UNKNOWN
from nfl_keras.report.render_page import render_page
from nfl_keras.typing import Path

_COLUMNS = ("all queries", "90% interval", "lowest class", "quartiles of classes")


def write_calibration(path: Path, calibration: Calibration, title: str) -> pathlib.Path:
    """Writes a calibration as one HTML file that loads no other.

    Args:
        path: str or path of the file. It is replaced in one step.
        calibration: `Calibration`.
        title: str. The headline.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold
    >>> from nfl_keras.gallery.calibrating.write_calibration import write_calibration
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(np.arange(30), 10)
    >>> vectors = rng.normal(size=(30, 16))[labels] + 0.5 * rng.normal(size=(300, 16))
    >>> vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")
    >>> ids = np.arange(300)
    >>> learned = learn_threshold(vectors, labels, vectors, labels, ids, ids, precision=0.9)
    >>> write_calibration("calibration.html", learned, title="30 classes").name
    'calibration.html'
    """
    page = render_page(
        "calibration.html.jinja",
        title=title,
        summary=_summary(calibration),
        columns=_COLUMNS,
        rows=_rows(calibration),
        notes=_notes(calibration),
        panels=[draw_calibration(calibration)],
    )
    return write_whole(path, page)


def draw_calibration(calibration: Calibration) -> Panel:
    """Draws precision and recall over the threshold.

    Args:
        calibration: `Calibration`.

    Returns:
        A `Panel`.
    """
    curve = calibration.curve
    bound = f"with confidence {calibration.confidence:g}"
    series = {
        "precision": np.array(curve.precision),
        bound: np.array(curve.precision_bound),
        "recall": np.array(curve.recall),
    }
    svg = draw_lines(
        "metrics",
        np.array(curve.thresholds),
        series,
        {bound: calibration.precision_asked},
        calibration.threshold,
        axis="similarity",
        mark="threshold",
    )
    caption = (
        "Right answers among the answers (precision) and among the queries whose class is in the "
        "gallery (recall), where answers have this similarity or more. Dashed: the precision asked "
        f"for. Dotted: the threshold, {calibration.threshold:.4f}."
    )
    return Panel("Precision and recall", caption, svg)


def _summary(calibration: Calibration) -> str:
    return (
        f"A first answer is a match if its similarity is {calibration.threshold:.4f} or more: "
        f"a precision of {calibration.precision_asked:.1%} was asked for, with confidence "
        f"{calibration.confidence:g}."
    )


def _rows(of: Calibration) -> list[tuple[str, list[str]]]:
    low, high = (UNKNOWN if end is None else f"{end:.4f}" for end in of.threshold_interval)
    return [
        ("Threshold", [f"{of.threshold:.4f}", f"{low} to {high}", "", ""]),
        ("Precision", _cells(of.precision, of.precision_interval, of.precision_spread)),
        ("Recall", _cells(of.recall, of.recall_interval, of.recall_spread)),
    ]


def _cells(value: float, interval: tuple[float, float], spread: Spread) -> list[str]:
    quartiles = ", ".join(f"{100 * quartile:.1f}" for quartile in spread.quartiles)
    return [
        f"{value:.1%}",
        f"{100 * interval[0]:.1f} to {interval[1]:.1%}",
        f"{spread.lowest:.1%} ({spread.lowest_class})",
        f"{quartiles}%",
    ]


def _notes(calibration: Calibration) -> list[str]:
    silent = calibration.num_silent
    return [
        f"Learned from {calibration.num_queries:,} queries of {calibration.num_classes:,} classes "
        f"in a gallery of {calibration.num_gallery:,}. "
        f"{silent:,} of the classes {'gets' if silent == 1 else 'get'} no answer.",
        f"{calibration.absent:.0%} of the queries are taken to have no class in the gallery.",
        "The figures hold for this gallery and for classes like those of the queries. They are "
        "too optimistic if the model was trained on the queries' classes, and in a larger gallery "
        "the precision is lower.",
    ]
