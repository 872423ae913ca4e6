"""A chart of lines, each with its name at its end."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nfl_keras.report.inline_svg import PAINT, STYLE, to_inline_svg
from nfl_keras.report.line_labels import shorten_label, spread_labels

_WIDTH, _HEIGHT = 440, 290  # in units of the SVG's viewBox, about a pixel each
_LEFT, _BOTTOM, _TOP = 46, 40, 18
_LETTER, _LINE = 7, 14  # width of a letter, height of a line
_MOST_POINTS = 30  # the most epochs for which each has a point
_HUES = [PAINT[f"series-{i}"] for i in range(1, 7)]
_DASHES = ["-", (0, (6, 1.5)), (0, (1, 1))]


def draw_lines(
    kind: str,
    epochs: np.ndarray | Mapping[str, np.ndarray],
    series: Mapping[str, np.ndarray],
    levels: Mapping[str, float],
    best_epoch: float | None,
    axis: str = "epoch",
    mark: str = "best",
) -> str:
    """Draws a chart as an inline `<svg>`.

    Args:
        kind: `"terms"` for loss terms, or `"metrics"` for fractions, shown in percent.
        epochs: float `[E]`, or other values that `axis` names; or a mapping of each name to its
            own.
        series: mapping of name to float `[E]`, NaN where not measured, with at least one number.
        levels: mapping of some of the names to a level, drawn as a dashed line.
        best_epoch: the value of `epochs` that a dotted line marks, or None.
        axis: str, the name of the horizontal axis. Defaults to `"epoch"`, of whole numbers.
        mark: str, the text at the dotted line. Defaults to `"best"`.

    Returns:
        str, an `<svg>` element.
    """
    places = epochs if isinstance(epochs, Mapping) else dict.fromkeys(series, epochs)
    names = {name: shorten_label(name) for name in series}
    right = 14 + _LETTER * max(len(text) for text in names.values())
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH / 72, _HEIGHT / 72))
        box = (_LEFT, _BOTTOM, _WIDTH - _LEFT - right, _HEIGHT - _BOTTOM - _TOP)
        left, bottom, width, height = np.divide(box, (_WIDTH, _HEIGHT) * 2)
        axes = figure.add_axes((left, bottom, width, height))
        colors = _colors(series)
        for name, values in series.items():
            known = ~np.isnan(values)
            points = "o" if not known.all() or len(values) <= _MOST_POINTS else None
            axes.plot(
                places[name][known],
                values[known],
                color=colors[name][0],
                linestyle=colors[name][1],
                linewidth=1.8,
                marker=points,
                markersize=3.5,
                clip_on=False,
            )
            if name in levels:
                axes.axhline(
                    levels[name],
                    color=colors[name][0],
                    linewidth=1.1,
                    linestyle=(0, (5, 4)),
                    alpha=0.8,
                )
        along = np.concatenate(list(places.values()))
        _scale(axes, along, kind, axis)
        _name_lines(axes, box[3], series, names, colors)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=PAINT["quiet"], linewidth=1, linestyle=(0, (1, 2.5)))
            axes.text(
                best_epoch,
                1.02,
                mark,
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontsize=10,
                color=PAINT["quiet"],
            )
        return to_inline_svg(figure, kind, _describe(kind, along, series, axis))


def _colors(series: Mapping[str, np.ndarray]) -> dict[str, tuple[str, Any]]:
    """Returns a color and dashes for each name. The total is in ink, and the others differ."""
    hued = [name for name in series if name != "loss"]
    paired = {
        name: (_HUES[i % len(_HUES)], _DASHES[i // len(_HUES) % len(_DASHES)])
        for i, name in enumerate(hued)
    }
    return {"loss": (PAINT["ink"], "-"), **paired}


def _scale(axes: Axes, epochs: np.ndarray, kind: str, axis: str) -> None:
    axes.set_xlabel(axis)
    whole = axis == "epoch"
    axes.xaxis.set_major_locator(
        MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=whole, min_n_ticks=1)
    )
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.tick_params(length=3)
    axes.grid(axis="y", color=PAINT["line"], linewidth=0.6)
    axes.set_axisbelow(True)
    if epochs.min() == epochs.max():
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    low, high = axes.get_ylim()
    drawn = np.concatenate([line.get_ydata() for line in axes.lines])
    if kind == "metrics":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        axes.set_ylim(max(low, 0), max(min(high, 1), drawn.max()))
    elif drawn.min() >= 0:
        axes.set_ylim(0, high)


def _name_lines(
    axes: Axes,
    height: float,
    series: Mapping[str, np.ndarray],
    names: Mapping[str, str],
    colors: Mapping[str, tuple[str, Any]],
) -> None:
    low, high = axes.get_ylim()
    ends = [values[~np.isnan(values)][-1] for values in series.values()]
    places = spread_labels([(end - low) / (high - low) for end in ends], _LINE / height)
    for name, place in zip(series, places, strict=True):
        axes.text(
            1.02,
            place,
            names[name],
            transform=axes.transAxes,
            ha="left",
            va="center_baseline",
            color=colors[name][0],
        )


def _describe(kind: str, epochs: np.ndarray, series: Mapping[str, np.ndarray], axis: str) -> str:
    def text(value: float) -> str:
        return f"{value:.1%}" if kind == "metrics" else f"{value:.3g}"

    parts = []
    for name, values in series.items():
        known = values[~np.isnan(values)]
        parts.append(f"{shorten_label(name)} from {text(known[0])} to {text(known[-1])}")
    subject = "Retrieval metrics" if kind == "metrics" else "Loss terms"
    unit = "epochs" if axis == "epoch" else axis
    return f"{subject}, {unit} {epochs.min():g} to {epochs.max():g}: {'; '.join(parts)}."
