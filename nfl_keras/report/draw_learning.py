"""Curves of how fast several methods learn."""

from collections.abc import Mapping, Sequence

import numpy as np

from nfl_keras.report.draw_curves import Panel
from nfl_keras.report.draw_lines import draw_lines


def draw_learning(
    recalls: Mapping[str, Sequence[float]],
    images: Mapping[str, Sequence[float]],
    seconds: Mapping[str, Sequence[float]],
    measured_on: str,
) -> list[Panel]:
    """Draws how fast methods learn: Recall@1 against the images and the seconds of training.

    Args:
        recalls: mapping of a method's name to its Recall@1 after each epoch.
        images: mapping of the same names to the images that it had seen by then.
        seconds: mapping of the same names to the seconds that it had trained by then.
        measured_on: str, the photographs that Recall@1 is measured on, in words.

    Returns:
        A list of two `Panel`.

    Example:

    >>> from nfl_keras.report import draw_learning
    >>> seen, taken = {"triplet": [90, 180]}, {"triplet": [3.0, 6.0]}
    >>> panels = draw_learning({"triplet": [0.4, 0.5]}, seen, taken, "held-out classes")
    >>> [panel.heading for panel in panels]
    ['Recall@1 against images', 'Recall@1 against seconds']
    """
    series = {name: np.array(values, np.float64) for name, values in recalls.items()}
    captions = {
        "images": "photographs seen in training",
        "seconds": "seconds of training, without evaluation",
    }
    panels = []
    for axis, values in (("images", images), ("seconds", seconds)):
        places = {name: np.array(values[name], np.float64) for name in series}
        svg = draw_lines("metrics", places, series, {}, None, axis)
        caption = f"After each epoch, measured on {measured_on}; {captions[axis]}."
        panels.append(Panel(f"Recall@1 against {axis}", caption, svg))
    return panels
