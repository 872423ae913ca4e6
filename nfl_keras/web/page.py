"""Defines the page as Gradio runs it: which callback answers what a visitor does."""

import pathlib
from typing import Any

import gradio as gr

from nfl_keras.gallery import Gallery
from nfl_keras.web.asked import WHOLE
from nfl_keras.web.callbacks import Callbacks
from nfl_keras.web.layout import Inputs, Outputs, lay_out
from nfl_keras.web.limits import KEPT_SECONDS, MAX_SESSIONS, MAX_WAITING

# Nothing of the page is for programs, and what the browser sends goes to `Callbacks` as it is.
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "preprocess": False}
_CLEANED_SECONDS = 60
# A new photograph is searched for as a whole, and an answer is no longer searched from.
_CHOSEN = f"photograph => [photograph?.path ?? '', '', {', '.join(map(str, WHOLE))}]"


def search_page(
    gallery: Gallery,
    uploads: pathlib.Path,
    threshold: float | None = None,
    calibrated: float | None = None,
) -> gr.Blocks:
    """Makes the page.

    Args:
        gallery: `nfl.Gallery`.
        uploads: `pathlib.Path`, the folder of the visitors' photographs.
        threshold: float, the least similarity of a match to begin with. Defaults to `None`: the
            calibrated one.
        calibrated: float, the calibrated one. Defaults to `None`: there is none.

    Returns:
        `gradio.Blocks`.
    """
    kept = (_CLEANED_SECONDS, KEPT_SECONDS)
    page = gr.Blocks(analytics_enabled=False, title="Search", delete_cache=kept)
    page.state_session_capacity = MAX_SESSIONS
    with page:
        _connect(Callbacks(gallery, uploads), *lay_out(gallery, threshold, calibrated))
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=1)
    return page


def _connect(callbacks: Callbacks, inputs: Inputs, outputs: Outputs) -> None:
    part = [inputs.path, *inputs.edges]
    asked = [inputs.path, inputs.picked, *inputs.edges, inputs.where, inputs.k, inputs.threshold]
    # One search at a time: each takes all cores.
    together = {**_PRIVATE, "concurrency_id": "search"}
    search = {"fn": callbacks.search, "inputs": asked, "outputs": list(outputs), **together}
    preview = {"fn": callbacks.preview, "inputs": part, "outputs": inputs.preview, **_PRIVATE}

    def pick(event: gr.EventData, path: Any, _: Any, *others: Any) -> Any:
        picked = event._data.get("id")
        return picked, *callbacks.search(path, picked, *others)

    def why(event: gr.EventData, *part: Any) -> str:
        return callbacks.why(event._data.get("id"), event._data.get("rank"), *part)

    def drawn(event: gr.EventData) -> Any:
        return callbacks.drawn(event._data)

    chosen = inputs.photograph.change(
        None, inputs.photograph, [inputs.path, inputs.picked, *inputs.edges], js=_CHOSEN
    )
    chosen.then(**search)
    chosen.then(**preview)
    for begin in (inputs.button.click, inputs.where.submit, inputs.threshold.submit):
        begin(**search)
    inputs.preview.drawn(drawn, None, inputs.edges, **_PRIVATE).then(**search)
    for edge in inputs.edges:
        edge.change(**preview, trigger_mode="always_last", show_progress="hidden")
        edge.release(**search)
    outputs.answers.pick(pick, asked, [inputs.picked, *outputs], **together)
    outputs.answers.why(why, asked[:6], outputs.why, **together)
    outputs.answers.leave(None, None, inputs.picked, js="() => ''").then(**search)
