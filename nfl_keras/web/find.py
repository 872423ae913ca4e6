"""Defines a search for a visitor of the page, and what the page says of it."""

import time
from typing import NamedTuple

from nfl_keras.errors import UserError
from nfl_keras.gallery import Gallery
from nfl_keras.gallery.matches import Matches
from nfl_keras.report.render_page import render_page
from nfl_keras.report.tile import aspect_ratio, draw_tile
from nfl_keras.web.asked import Asked

YOURS = "Your photograph"
_SHORT_SIDE = 224  # pixels of a photograph on the page


class Found(NamedTuple):
    """The answers of one search.

    Attributes:
        status: str, a sentence.
        answers: str, HTML.
    """

    status: str
    answers: str


def find(gallery: Gallery, asked: Asked) -> Found:
    """Searches for a visitor.

    Args:
        gallery: `nfl.Gallery`.
        asked: `Asked`.

    Returns:
        `Found`.

    Raises:
        UserError: if a condition or the photograph cannot be used.
    """
    start = time.perf_counter()
    picked = [] if asked.picked is None else [asked.picked]
    matches = gallery.search(
        asked.photograph, asked.k, asked.where or None, picked, threshold=asked.threshold
    )
    seconds = time.perf_counter() - start
    query = draw_tile(query_photograph(gallery, asked), asked.picked or YOURS, _SHORT_SIDE)
    answers = [
        (match, draw_tile(read_or_empty(gallery, match.id), match.label or match.id, _SHORT_SIDE))
        for match in matches[0]
    ]
    html = render_page(
        "web_answers.html.jinja",
        query=query,
        is_picked=asked.picked is not None,
        answers=answers,
        aspect_ratio=aspect_ratio(tile for _, tile in answers),
        threshold=matches.threshold,
    )
    return Found(
        f"{_sentence(matches)} Searched {len(gallery):,} in {1000 * seconds:,.0f} ms.", html
    )


def query_photograph(gallery: Gallery, asked: Asked) -> bytes:
    """Returns the photograph that is searched for, or `b""` if it is gone from the gallery."""
    if asked.picked is None:
        return asked.photograph or b""
    return read_or_empty(gallery, asked.picked)


def read_or_empty(gallery: Gallery, name: str) -> bytes:
    """Reads a photograph of the gallery; one that is gone is empty, and shown as an empty tile."""
    try:
        return gallery.read(name)
    except UserError:
        return b""


def _sentence(matches: Matches) -> str:
    found = matches[0]
    if not found:
        return "No photograph fulfills the conditions."
    plural = "" if len(found) == 1 else "s"
    if matches.threshold is None:
        return f"{len(found)} answer{plural}."
    if not found[0].is_match:
        return (
            f"No match: the most similar photograph has {found[0].similarity:.3f}, and a match "
            f"needs {matches.threshold:.3f}."
        )
    return f"{len(found)} answer{plural}, {sum(bool(m.is_match) for m in found)} of them a match."
