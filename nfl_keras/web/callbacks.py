"""Defines what the page does with what a visitor does, without Gradio."""

import logging
import math
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from markupsafe import Markup

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.errors import UserError
from nfl_keras.gallery import Gallery
from nfl_keras.report.render_page import render_page
from nfl_keras.report.tile import draw_tile
from nfl_keras.web.asked import SIDES, WHOLE, Asked, checked_edges, read_upload
from nfl_keras.web.find import YOURS, find
from nfl_keras.web.why import why

_PREVIEW_SIDE = 320  # pixels


class Shown(NamedTuple):
    """What the page shows after a search.

    Attributes:
        status: str, HTML.
        why: str, HTML, of one answer. It is empty.
        answers: str, HTML.
    """

    status: str
    why: str
    answers: str


class Callbacks:
    """Answers what a visitor does, errors in words.

    Every argument comes from the browser and may be anything.

    Args:
        gallery: `nfl.Gallery`.
        uploads: `pathlib.Path`, the folder of the visitors' photographs.
    """

    def __init__(self, gallery: Gallery, uploads: pathlib.Path) -> None:
        self._gallery, self._uploads = gallery, uploads

    def search(
        self,
        photograph: Any,
        picked: Any,
        left: Any,
        right: Any,
        top: Any,
        bottom: Any,
        where: Any,
        k: Any,
        threshold: Any,
    ) -> Shown:
        """Searches, see `Asked.read` for the arguments."""

        def found() -> Shown:
            edges = left, right, top, bottom
            asked = Asked.read(self._uploads, photograph, picked, edges, where, k, threshold)
            status, answers = find(self._gallery, asked)
            return Shown(_said(status), "", answers)

        return self._in_words(found, lambda words: Shown(words, "", ""))

    def why(
        self,
        answer: Any,
        rank: Any,
        photograph: Any,
        picked: Any,
        left: Any,
        right: Any,
        top: Any,
        bottom: Any,
    ) -> str:
        """Explains the answer of an id and a rank, as HTML; see `Asked.read` for the others."""

        def explained() -> str:
            edges = left, right, top, bottom
            asked = Asked.read(self._uploads, photograph, picked, edges, "", rank, "")
            query = asked.photograph
            if asked.picked is not None:
                query = self._gallery.read(asked.picked)
            return why(self._gallery, query or b"", asked.picked or YOURS, str(answer), asked.k)

        return self._in_words(explained, lambda words: words)

    def preview(self, photograph: Any, left: Any, right: Any, top: Any, bottom: Any) -> str:
        """Draws the visitor's photograph with the edges of its part, as HTML.

        It is empty where there is none, or what `search` answers in words.
        """
        try:
            edges = checked_edges((left, right, top, bottom))
            content, _ = checked_bytes(read_upload(self._uploads, photograph), "yours")
        except UserError:
            return ""
        values = dict(zip(SIDES, edges, strict=True))
        tile = draw_tile(content, "", _PREVIEW_SIDE)
        return render_page("web_crop.html.jinja", tile=tile, **values)

    def drawn(self, edges: Any) -> tuple[float, float, float, float]:
        """Returns the edges of a rectangle that a visitor drew, rounded, or all of it."""
        try:
            left, right, top, bottom = checked_edges([edges[side] for side in SIDES])
        except (KeyError, TypeError, UserError):
            return WHOLE
        return math.floor(left), math.ceil(right), math.floor(top), math.ceil(bottom)

    def _in_words(self, answer: Callable[[], Any], say: Callable[[str], Any]) -> Any:
        try:
            return answer()
        except PhotographError as error:
            return say(_said(f"This photograph cannot be used: {error.reason}.", "wrong"))
        except UserError as error:
            words = str(error)
            return say(_said(words[:1].upper() + words[1:], "wrong"))
        except Exception:  # A visitor sees words, and the log the traceback.
            logging.exception("the page failed")
            return say(_said("This failed. The server's log says why.", "wrong"))


def _said(words: str, kind: str = "") -> str:
    return Markup('<p class="said {}">{}</p>').format(kind, words)
