"""How the loss terms and the retrieval measures went, epoch by epoch."""

import dataclasses

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.report.draw_lines import draw_lines


@dataclasses.dataclass(frozen=True)
class Panel:
    """One drawing of the page: a heading, a sentence under it, and the `<svg>`."""

    heading: str
    caption: str
    svg: str


def is_measure(name):
    """Whether a name in the history is a retrieval measure; the others are loss terms."""
    return "@" in name or name.lower() in ("map", "mrr")


def draw_curves(history, untrained=None, best_epoch=None):
    """One panel for the loss terms and one for the retrieval measures.

    Args:
        history: mapping of str to a list with one number per epoch, as `write_report`
            takes it.
        untrained: mapping of a measure's name as it is to be written, e.g. `"mAP"`, to its
            value before training or None. Names are matched with those of the history
            without regard to case. Defaults to none known.
        best_epoch: int. The epoch with the best measures, marked in both panels.
            Defaults to no mark.

    Returns:
        A list of `Panel`; a panel that has nothing to show is left out.

    Raises:
        UserError: if the history's lists are not of one length.
    """
    epochs, series = _clean(history)
    spelling = {name.lower(): name for name in untrained or {}}
    terms = {name: values for name, values in series.items() if not is_measure(name)}
    measures = {
        spelling.get(name.lower(), name): values
        for name, values in series.items()
        if is_measure(name)
    }
    levels = {
        name: level
        for name, level in (untrained or {}).items()
        if name in measures and level is not None and np.isfinite(level)
    }
    marked = best_epoch is not None
    best = f" Dotted: epoch {best_epoch}, the best." if marked else ""
    panels = []
    if terms:
        svg = draw_lines("terms", epochs, terms, {}, best_epoch)
        panels.append(Panel("Loss terms", "Mean over each epoch." + best, svg))
    if measures:
        dashed = " Dashed: before training." if levels else ""
        svg = draw_lines("measures", epochs, measures, levels, best_epoch)
        panels.append(Panel("Retrieval", "Measured after the epoch." + dashed + best, svg))
    return panels


def _clean(history):
    if not history:
        return np.zeros(0), {}
    if "epoch" not in history:
        raise UserError('the history has no "epoch" list; give the number of each epoch.')
    epochs = np.asarray(history["epoch"], dtype=np.float64)
    series = {}
    for name, values in history.items():
        values = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        if values.shape != epochs.shape:
            raise UserError(
                f"the history has {len(epochs)} epochs but {len(values)} values of {name!r}; "
                "give None where it was not measured."
            )
        values[~np.isfinite(values)] = np.nan
        if name != "epoch" and not np.isnan(values).all():
            series[name] = values
    return epochs, series
