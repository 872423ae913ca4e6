"""Defines the page as an ASGI application, in the look of the reports."""

import pathlib

import fastapi
import gradio as gr

from nfl_keras.report.render_page import render_page
from nfl_keras.web.limits import MAX_PHOTOGRAPH

_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial")
# Properties of Gradio's theme, each the same in the light and the dark one, by our own colors.
_THEME = {
    "body_background_fill": "var(--page)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--quiet)",
    "background_fill_primary": "var(--card)",
    "background_fill_secondary": "var(--page)",
    "block_background_fill": "var(--card)",
    "block_border_color": "var(--line)",
    "block_info_text_color": "var(--quiet)",
    "block_label_background_fill": "var(--card)",
    "block_label_text_color": "var(--ink)",
    "block_title_text_color": "var(--ink)",
    "border_color_primary": "var(--line)",
    "button_primary_background_fill": "var(--link)",
    "button_primary_background_fill_hover": "var(--link)",
    "button_primary_text_color": "var(--card)",
    "input_background_fill": "var(--page)",
    "input_border_color": "var(--line)",
    "input_placeholder_color": "var(--quiet)",
    "slider_color": "var(--link)",
}


def mounted(page: gr.Blocks) -> fastapi.FastAPI:
    """Makes the application of a page.

    Args:
        page: `gradio.Blocks`.

    Returns:
        `fastapi.FastAPI`.
    """
    theme = gr.themes.Base(font=[*_FONTS, "sans-serif"], font_mono=["ui-monospace", "monospace"])
    colors = {name + dark: color for name, color in _THEME.items() for dark in ("", "_dark")}
    theme.set(**colors, color_accent="var(--link)")
    return gr.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        "/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_PHOTOGRAPH,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme,
        css=render_page("web.css.jinja"),
        js=(pathlib.Path(__file__).parent / "page.js").read_text(),
    )
