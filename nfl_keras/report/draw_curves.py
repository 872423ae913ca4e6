"""Curves of the loss terms and the retrieval metrics over the epochs."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.report.draw_lines import draw_lines


@dataclasses.dataclass(frozen=True)
class Panel:
    """One chart of a page.

    Args:
        heading: str.
        caption: str. The sentences under the chart.
        svg: str. The chart as an `<svg>` element.
    """

    heading: str
    caption: str
    svg: str


_DASHED = " Dashed: the frozen backbone."


def is_metric(name: str) -> bool:
    """Tells whether a name in the history is a retrieval metric; the others are loss terms."""
    return "@" in name or name.lower() in ("map", "mrr")


def draw_curves(
    history: Mapping[str, Sequence[float | None]],
    frozen: Mapping[str, float | None] | None = None,
    best_epoch: int | None = None,
) -> list[Panel]:
    """Draws one chart of the loss terms and one of the retrieval metrics.

    Args:
        history: mapping of str to a list with one number per epoch. `"epoch"` has the numbers of
            the epochs. `"map"`, `"mrr"` and names with an `"@"` are retrieval metrics
            (fractions). Every other name is a loss term, and `"loss"` their total. None or NaN
            marks an epoch that was not measured; the line joins the epochs beside it. May be
            empty.
        frozen: mapping of a metric's name to its value of the frozen backbone, drawn as a dashed
            line. Names match the history's in any case, and are shown as they are written here,
            e.g. `"mAP"`. Give values only if they were measured as the history's were. Defaults
            to `None`: no line.
        best_epoch: int. The epoch with the best metrics, marked in both charts. Defaults to
            `None`: no mark.

    Returns:
        A list of `Panel`. A chart without any number is left out.

    Raises:
        UserError: if the history has no `"epoch"`, or its lists differ in length.

    Example:

    >>> from nfl_keras.report import draw_curves
    >>> history = {"epoch": [1, 2], "loss": [3.1, 2.2], "map": [0.51, 0.62]}
    >>> panels = draw_curves(history, frozen={"mAP": 0.42})
    >>> [panel.heading for panel in panels]
    ['Loss terms', 'Retrieval']
    """
    epochs, series = _clean(history)
    spelling = {name.lower(): name for name in frozen or {}}
    terms = {name: values for name, values in series.items() if not is_metric(name)}
    metrics = {
        spelling.get(name.lower(), name): values
        for name, values in series.items()
        if is_metric(name)
    }
    levels = {
        name: float(level)
        for name, level in (frozen or {}).items()
        if name in metrics and level is not None and np.isfinite(level)
    }
    best = "" if best_epoch is None else f" Dotted: epoch {best_epoch}, the best."
    panels = []
    if terms:
        svg = draw_lines("terms", epochs, terms, {}, best_epoch)
        panels.append(Panel("Loss terms", "Mean over each epoch." + best, svg))
    if metrics:
        dashed = _DASHED if levels else ""
        svg = draw_lines("metrics", epochs, metrics, levels, best_epoch)
        panels.append(Panel("Retrieval", "Measured after the epoch." + dashed + best, svg))
    return panels


def draw_blend(
    figures: Mapping[float, Mapping[str, float]], frozen: Mapping[str, float], chosen: float
) -> Panel:
    """Draws Recall@1 and mAP of mixtures of the weights before and after training.

    Args:
        figures: mapping of alpha, the share of the weights after training, to the mixture's
            `"Recall@1"` and `"mAP"` and perhaps other figures.
        frozen: mapping of the same names to the figures of the frozen backbone.
        chosen: float, the alpha that was chosen.

    Returns:
        A `Panel`.

    Example:

    >>> from nfl_keras.report import draw_blend
    >>> before, after = {"Recall@1": 0.60, "mAP": 0.20}, {"Recall@1": 0.62, "mAP": 0.28}
    >>> draw_blend({0.0: before, 1.0: after}, frozen=before, chosen=1.0).heading
    'Mixtures'
    """
    alphas = np.array(sorted(figures))
    names = ("Recall@1", "mAP")
    series = {name: np.array([figures[alpha][name] for alpha in alphas]) for name in names}
    levels = {name: frozen[name] for name in names}
    svg = draw_lines("metrics", alphas, series, levels, chosen, axis="alpha")
    caption = (
        "Weights before + alpha (after - before), measured on validation photographs."
        f"{_DASHED} Dotted: alpha {chosen:g}, the chosen one."
    )
    return Panel("Mixtures", caption, svg)


def _clean(
    history: Mapping[str, Sequence[float | None]],
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns the epochs, and each other list that has a number, with NaN for the unknown."""
    if not history:
        return np.zeros(0), {}
    if "epoch" not in history:
        raise UserError('the history has no "epoch" list; give the number of each epoch.')
    epochs = np.asarray(history["epoch"], dtype=np.float64)
    series = {}
    for name, numbers in history.items():
        values = np.array([np.nan if v is None else v for v in numbers], dtype=np.float64)
        if values.shape != epochs.shape:
            raise UserError(
                f"the history has {len(epochs)} epochs but {len(values)} values of {name!r}; "
                "give None where it was not measured."
            )
        values[~np.isfinite(values)] = np.nan
        if name != "epoch" and not np.isnan(values).all():
            series[name] = values
    return epochs, series
