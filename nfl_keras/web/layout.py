"""Defines what is on the page, from top to bottom."""

import pathlib
from typing import NamedTuple

import gradio as gr

from nfl_keras.gallery import Gallery
from nfl_keras.web.asked import WHOLE
from nfl_keras.web.limits import MAX_ANSWERS, MAX_CONDITIONS, MAX_NUMBER

_HERE = pathlib.Path(__file__).parent
_EDGES = ("Left edge", "Right edge", "Top edge", "Bottom edge")


class Inputs(NamedTuple):
    """What a visitor chooses.

    Attributes:
        photograph: `gradio.Image`.
        path: `gradio.Textbox`, hidden, the path of the photograph on the server.
        picked: `gradio.Textbox`, hidden, the id of the answer to search from, or empty.
        preview: `gradio.HTML`, on which a part is drawn.
        edges: list of `gradio.Slider`, those of the part.
        where: `gradio.Textbox`.
        k: `gradio.Number`.
        threshold: `gradio.Textbox`.
        button: `gradio.Button`.
    """

    photograph: gr.Image
    path: gr.Textbox
    picked: gr.Textbox
    preview: gr.HTML
    edges: list[gr.Slider]
    where: gr.Textbox
    k: gr.Number
    threshold: gr.Textbox
    button: gr.Button


class Outputs(NamedTuple):
    """What a visitor gets.

    Attributes:
        status: `gradio.HTML`, which screen readers read aloud.
        why: `gradio.HTML`, of one answer.
        answers: `gradio.HTML`.
    """

    status: gr.HTML
    why: gr.HTML
    answers: gr.HTML


def lay_out(
    gallery: Gallery, threshold: float | None, calibrated: float | None
) -> tuple[Inputs, Outputs]:
    """Puts all parts on the page that is being made.

    Args:
        gallery: `nfl.Gallery`.
        threshold: see `search_page`.
        calibrated: see `search_page`.

    Returns:
        `(Inputs, Outputs)`.
    """
    labels = len(gallery.items["label"].drop_null().unique())
    of = f", {labels:,} labels" if labels else ""
    _html(f'<h1>Search</h1><p class="summary">{len(gallery):,} photographs{of}.</p>', "head")
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="asked"):
            inputs = _inputs(gallery, threshold, calibrated)
        with gr.Column(elem_id="found"):
            _html('<h2 tabindex="-1">Answers</h2>', "heading")
            status = _html('<p class="said">Choose a photograph.</p>', "status", "status")
            outputs = Outputs(status, _html("", "why", "why"), _html("", "answers", "answers"))
    return inputs, outputs


def _inputs(gallery: Gallery, threshold: float | None, calibrated: float | None) -> Inputs:
    _html("<h2>Photograph</h2>", "choose")
    photograph = gr.Image(
        label="Photograph to search for",
        alt_text="The photograph to search for",
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        height=260,
        elem_id="photograph",
    )
    path = gr.Textbox(visible="hidden", label="Path")
    picked = gr.Textbox(visible="hidden", label="Picked")
    with gr.Accordion("Search for a part of it", open=False):
        preview = _html("", "crop", "crop")
        edges = [
            gr.Slider(0, 100, whole, step=1, label=f"{edge} (%)", buttons=[])
            for edge, whole in zip(_EDGES, WHOLE, strict=True)
        ]
    where = gr.Textbox(
        label="Only photographs for which",
        info=f"One condition per line, on {', '.join(gallery.items.column_names)}",
        placeholder="label = rose",
        lines=2,
        max_lines=4,
        max_length=MAX_CONDITIONS,
        elem_id="where",
    )
    with gr.Row():
        k = gr.Number(
            10, label="Answers", minimum=1, maximum=MAX_ANSWERS, precision=0, min_width=90
        )
        least = gr.Textbox(
            "" if threshold is None else str(threshold),
            label="Least similarity",
            placeholder="none is marked" if calibrated is None else f"{calibrated:.3f}, calibrated",
            max_lines=1,
            max_length=MAX_NUMBER,
            min_width=150,
            elem_id="threshold",
        )
    button = gr.Button("Search", variant="primary", elem_id="search")
    return Inputs(photograph, path, picked, preview, edges, where, k, least, button)


def _html(content: str, name: str, script: str | None = None) -> gr.HTML:
    runs = None if script is None else (_HERE / f"{script}.js").read_text()
    return gr.HTML(content, js_on_load=runs, apply_default_css=False, elem_id=name)
