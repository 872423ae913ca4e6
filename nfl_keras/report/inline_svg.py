"""Matplotlib figures as SVG inside a page, in the page's colors."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib
from matplotlib.figure import Figure

_PAINTS = ("ink", "quiet", "line", *(f"series-{i}" for i in range(1, 7)))
# Placeholder colors of a figure, which `to_inline_svg` replaces by the page's CSS variables.
PAINT = {name: f"#0000{index:02x}" for index, name in enumerate(_PAINTS, start=1)}
_NAME_OF = {color: name for name, color in PAINT.items()}

STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": PAINT["line"],
    "axes.labelcolor": PAINT["quiet"],
    "font.size": 11,
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "svg.hashsalt": "nfl_keras",  # ids are the same in every run
    "text.parse_math": False,  # dollar signs in a name are not TeX
    "text.color": PAINT["ink"],
    "xtick.color": PAINT["line"],
    "xtick.labelcolor": PAINT["quiet"],
    "ytick.color": PAINT["line"],
    "ytick.labelcolor": PAINT["quiet"],
}


def to_inline_svg(figure: Figure, name: str, description: str) -> str:
    """Converts a figure to one `<svg>` element without header, style sheet or metadata.

    Each color of `PAINT` becomes the page's CSS variable of that name, so that one drawing fits
    light and dark pages.

    Args:
        figure: `matplotlib.figure.Figure`, made under `STYLE`.
        name: str. Prefix of every id, different for each figure of a page.
        description: str. Text for screen readers.

    Returns:
        str.
    """
    drawn = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(drawn.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _rewrite(_local(key), value, name) for key, value in element.items()
        }
    # The page sets the size; the viewBox keeps the proportions.
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": description}
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """Returns a name without its namespace."""
    return name.rpartition("}")[2]


def _rewrite(key: str, value: str, name: str) -> str:
    """Returns an attribute's value with prefixed ids and the page's colors."""
    if key == "id":
        return f"{name}-{value}"
    if key == "style":
        value = re.sub(r"#[0-9a-f]{6}", _variable, value)
    return re.sub(r"^#|(?<=url\()#", f"#{name}-", value)


def _variable(match: re.Match[str]) -> str:
    color = match.group()
    return f"var(--{_NAME_OF[color]})" if color in _NAME_OF else color
