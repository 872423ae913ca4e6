"""Defines what the page says of why an answer is similar."""

from nfl_keras.gallery import Gallery
from nfl_keras.report.drawn_explanation import draw_explanation
from nfl_keras.report.render_page import render_page
from nfl_keras.retrieval import explain


def why(gallery: Gallery, query: bytes, query_name: str, answer: str, rank: int) -> str:
    """Explains an answer by maps.

    Args:
        gallery: `nfl.Gallery`.
        query: bytes of the photograph that was searched for.
        query_name: str.
        answer: str, the id of a photograph of the gallery.
        rank: int, its place among the answers.

    Returns:
        str, HTML.

    Raises:
        UserError: if the gallery's model cannot be explained, such as a server's, or a photograph
            is gone.
    """
    embeds = gallery.photograph_model()
    found = explain(embeds.model, query, gallery.read(answer), crops=embeds.crops)
    drawn = draw_explanation(found, query_name, answer)
    return render_page("web_why.html.jinja", pair=drawn, rank=rank)
