"""HTML pages from the templates of this package."""

import pathlib
from typing import Any

import jinja2
from markupsafe import Markup

from nfl_keras.report import formatting

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["formatting"] = formatting
_TEMPLATES.filters["drawing"] = Markup


def render_page(template: str, **values: Any) -> str:
    """Renders a template, with all text among its values escaped.

    Args:
        template: str. Name of a file in `templates/`, e.g. `"report.html.jinja"`.
        **values: the variables of the template.

    Returns:
        str, an HTML page that loads no other file.
    """
    return _TEMPLATES.get_template(template).render(values)
