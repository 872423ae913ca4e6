"""The page about the runs over several splits."""

import pathlib
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.report import formatting
from nfl_keras.report.render_page import render_page
from nfl_keras.typing import Path


def write_summary(
    path: Path,
    *,
    title: str,
    summary: str,
    splits: Iterable[tuple[str, Mapping[str, Any], Path | None]],
    mean: Mapping[str, Any],
    deviation: Mapping[str, Any] | None = None,
    baselines: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] | None = None,
    notes: Sequence[str] = (),
) -> pathlib.Path:
    """Writes the page about the runs over several splits: a table with links to their reports.

    Args:
        path: str or path of the file. It is replaced in one step.
        title: str. The headline.
        summary: str. The protocol in one sentence.
        splits: iterable of `(name, metrics, report)`: the split's name, its mapping of metric
            to value (as in `write_report`), and the path of its report relative to this
            page's folder, or None.
        mean: mapping of metric to its mean over the splits. The table's columns are in its order.
        deviation: mapping of metric to its sample standard deviation over the splits, for the
            metrics that have one. Defaults to none.
        baselines: mapping of a name to `(mean, deviation)` of what the splits are compared with,
            the table's first rows. Defaults to none.
        notes: sequence of str. Sentences beside the table. Defaults to none.

    Returns:
        The `pathlib.Path` written.

    Raises:
        UserError: if the path of a split's report is absolute.

    Example:

    >>> from nfl_keras.report import write_summary
    >>> path = write_summary(
    ...     "summary.html",
    ...     title="Flowers-17",
    ...     summary="Two splits.",
    ...     splits=[
    ...         ("Split 0", {"mAP": 0.80}, "split0/report.html"),
    ...         ("Split 1", {"mAP": 0.84}, "split1/report.html"),
    ...     ],
    ...     mean={"mAP": 0.82},
    ...     deviation={"mAP": 0.0283},
    ... )
    >>> path.name
    'summary.html'
    """
    deviation = deviation or {}

    def cells(means: Mapping[str, Any], deviations: Mapping[str, Any]) -> list[str]:
        return [formatting.mean_and_deviation(means.get(n), deviations.get(n)) for n in mean]

    page = render_page(
        "summary.html.jinja",
        title=title,
        summary=summary,
        notes=list(notes),
        columns=list(mean),
        splits=[(name, metrics, _link(report)) for name, metrics, report in splits],
        baselines=[(name, cells(*of_baseline)) for name, of_baseline in (baselines or {}).items()],
        means=cells(mean, deviation),
        deviates=bool(deviation),
    )
    return write_whole(path, page)


def _link(report: Path | None) -> str | None:
    if report is None:
        return None
    relative = pathlib.PurePath(report)
    if relative.is_absolute():
        raise UserError(
            f"the link {str(report)!r} is absolute: give a path relative to the summary's folder."
        )
    # The whole path is quoted: a colon in the first folder's name would otherwise make a scheme.
    return urllib.parse.quote(relative.as_posix())
