"""The pages of a run: one for a training run, one over the runs of several splits."""

import urllib.parse
from pathlib import Path, PurePath

import jinja2
from markupsafe import Markup

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.report import formatting
from nfl_keras.report.draw_curves import draw_curves
from nfl_keras.report.retrieval_rows import draw_rows

_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals["formatting"] = formatting
_PAGES.filters["drawing"] = Markup


def write_report(
    path,
    *,
    title,
    summary,
    metrics,
    history,
    rows,
    config,
    notes=(),
    best_epoch=None,
    before_in_curves=True,
):
    """Writes the report of one training run as one HTML file that needs nothing else.

    The same arguments give the same bytes. Everything that is text is escaped. A part that
    has nothing to show is left out.

    Args:
        path: str or path of the file, conventionally `report.html` in the run's folder.
            It is replaced in one step, or, if anything fails, left as it was.
        title: str. The headline.
        summary: str. The protocol in one sentence, e.g. `RetrievalReport`'s.
        metrics: sequence of `(name, before, after)`, the headline table. A float is a
            fraction (0.9118 is shown as 91.18%), an int a count, a str shown as it is; None
            and NaN are not known. If no `before` is known, its column is left out.
        history: mapping of str to a list with one number per epoch: `"epoch"` and whatever
            is to be drawn over it. `"map"`, `"mrr"` and names with an `"@"` are retrieval
            measures (fractions); every other name is a loss term, `"loss"` their total.
            None or NaN where an epoch was not measured: its neighbors are joined. Leave
            out what is neither, such as a learning rate. May be empty.
        rows: iterable of `RetrievalRow`, in the order to be shown; ten or fewer of ten or
            fewer neighbors keep the file below 2 MB. Choose failures as well as successes.
            A photograph that cannot be read is shown as an empty tile.
        config: mapping of the resolved settings, nested or flat, shown folded.
        notes: sequence of str. Sentences under the headline, e.g. how the epoch was chosen.
            Defaults to none.
        best_epoch: int. The epoch with the best measures, marked in the curves. Defaults
            to no mark.
        before_in_curves: bool, whether the `before` of a metric is drawn into its curve. Not
            where the curve is measured otherwise than the metric. Defaults to `True`.

    Returns:
        The `pathlib.Path` written.

    Raises:
        UserError: if the history's lists are not of one length.

    Example:
    >>> nfl.report.write_report(
    ...     "runs/1/report.html",
    ...     title="Flowers-17, noise-invariant ResNet-18",
    ...     summary="255 queries, each searched for in 425 gallery photographs.",
    ...     metrics=[("Recall@1", 0.81, 0.93), ("mAP", 0.42, 0.84)],
    ...     history={"epoch": [1, 2], "loss": [3.1, 2.2], "recall@1": [None, 0.93]},
    ...     rows=[],
    ...     config={"temperature": 0.1},
    ... )
    """
    metrics = list(metrics)
    levels = {}
    if before_in_curves:
        levels = {name: before for name, before, _ in metrics if not isinstance(before, str)}
    drawn, shape = draw_rows(rows)
    page = _PAGES.get_template("report.html.jinja").render(
        title=title,
        summary=summary,
        notes=list(notes),
        metrics=metrics,
        compared=any(formatting.value(before) != formatting.NOTHING for _, before, _ in metrics),
        panels=draw_curves(history, levels, best_epoch),
        rows=drawn,
        shape=shape,
        settings=formatting.settings(config),
    )
    return write_whole(path, page)


def write_summary(path, *, title, summary, splits, mean, deviation=None, notes=()):
    """Writes the page over the runs of several splits: a table that leads to their reports.

    Args:
        path: str or path of the file, replaced in one step.
        title: str. The headline.
        summary: str. The protocol in one sentence.
        splits: sequence of `(name, metrics, href)`: the split's name, its mapping of metric
            to value (as in `write_report`), and the path of its own report relative to this
            page's folder, or None.
        mean: mapping of metric to its mean over the splits. Its order is the columns'.
        deviation: mapping of metric to its sample standard deviation over the splits, for
            those that have one. Defaults to none.
        notes: sequence of str. Sentences under the headline. Defaults to none.

    Returns:
        The `pathlib.Path` written.

    Raises:
        UserError: if a split's report is not given by a relative path.
    """
    deviation = deviation or {}
    page = _PAGES.get_template("summary.html.jinja").render(
        title=title,
        summary=summary,
        notes=list(notes),
        columns=list(mean),
        splits=[(name, metrics, _link(href)) for name, metrics, href in splits],
        means=[formatting.mean_and_deviation(mean[name], deviation.get(name)) for name in mean],
        deviates=bool(deviation),
    )
    return write_whole(path, page)


def _link(href):
    if href is None:
        return None
    relative = PurePath(href)
    if relative.is_absolute():
        raise UserError(f"the link {str(href)!r} must be relative to the summary's own folder.")
    # Quoted whole: a colon would otherwise make a scheme of the first folder's name.
    return urllib.parse.quote(relative.as_posix())
