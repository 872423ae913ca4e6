"""The page about one training run."""

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nfl_keras.files import write_whole
from nfl_keras.report import formatting
from nfl_keras.report.draw_curves import Panel
from nfl_keras.report.render_page import render_page
from nfl_keras.report.retrieval_rows import RetrievalRow, draw_rows
from nfl_keras.typing import Path


def write_report(
    path: Path,
    *,
    title: str,
    summary: str,
    models: Mapping[str, Mapping[str, Any]],
    curves: Sequence[Panel] = (),
    rows: Iterable[RetrievalRow] = (),
    config: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> pathlib.Path:
    """Writes the report of one training run as one HTML file that loads no other.

    The same arguments give the same bytes. All text is escaped. A section without content is
    left out.

    Args:
        path: str or path of the file, by convention `report.html` in the run's folder. It is
            replaced in one step. If anything fails, it stays as it was.
        title: str. The headline.
        summary: str. The protocol in one sentence, e.g. from a `RetrievalReport`.
        models: mapping of a model's name to its figures, the rows of the headline table. The first
            is what the last is compared with. Figures are a mapping of names to values: a float
            is a fraction (0.9118 is shown as 91.18%), an int a count, a str is shown as it is,
            and None or NaN is unknown.
        curves: sequence of `Panel` from `draw_curves`. Defaults to none.
        rows: iterable of `RetrievalRow`, shown in their order. Choose failures as well as
            successes. Ten rows of ten neighbors keep the file below 2 MB. A photograph that
            cannot be read is shown as an empty tile. Defaults to none.
        config: mapping of the run's settings, nested or flat, shown folded.
        notes: sequence of str. Sentences beside the headline table, e.g. how the epoch was
            chosen. Defaults to none.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.report import draw_curves, write_report
    >>> history = {"epoch": [1, 2], "loss": [3.1, 2.2], "recall@1": [None, 0.93]}
    >>> path = write_report(
    ...     "report.html",
    ...     title="Flowers-17, noise-invariant ResNet-18",
    ...     summary="255 queries, each searched for in 425 gallery photographs.",
    ...     models={
    ...         "Frozen backbone": {"Recall@1": 0.81, "mAP": 0.42},
    ...         "Trained": {"Recall@1": 0.93, "mAP": 0.84},
    ...     },
    ...     curves=draw_curves(history, best_epoch=2),
    ...     config={"temperature": 0.1},
    ... )
    >>> path.name
    'report.html'
    """
    drawn, aspect_ratio = draw_rows(rows)
    page = render_page(
        "report.html.jinja",
        title=title,
        summary=summary,
        notes=list(notes),
        models=list(models.items()),
        columns=list(dict.fromkeys(name for row in models.values() for name in row)),
        panels=curves,
        rows=drawn,
        aspect_ratio=aspect_ratio,
        settings=formatting.settings(config),
    )
    return write_whole(path, page)
