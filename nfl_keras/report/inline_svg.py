"""matplotlib figures as SVG that can stand inside a page, and takes its colors from it."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib

_PAINTS = ("ink", "quiet", "line", *(f"series-{i}" for i in range(1, 7)))
# Colors that nobody would choose stand for the page's own until the figure is drawn.
PAINT = {name: f"#0000{index:02x}" for index, name in enumerate(_PAINTS, start=1)}
_NAME_OF = {color: name for name, color in PAINT.items()}

STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": PAINT["line"],
    "axes.labelcolor": PAINT["quiet"],
    "font.size": 11,
    "svg.fonttype": "none",  # letters stay text: small, searchable, in the page's font
    "svg.hashsalt": "nfl_keras",  # the same figure, the same bytes
    "text.parse_math": False,  # a name with dollar signs is a name
    "text.color": PAINT["ink"],
    "xtick.color": PAINT["line"],
    "xtick.labelcolor": PAINT["quiet"],
    "ytick.color": PAINT["line"],
    "ytick.labelcolor": PAINT["quiet"],
}


def to_inline_svg(figure, name, description):
    """The figure as one `<svg>` element without header, namespace, style sheet or metadata.

    Whatever was drawn in a color of `PAINT` becomes the page's CSS variable of that name,
    so that one drawing serves light and dark pages.

    Args:
        figure: `matplotlib.figure.Figure`, made under `STYLE`.
        name: str. Prefix of every id, which keeps the ids of a page's figures apart.
        description: str. What the figure shows, for those who do not see it.

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
    # The page decides the size; the viewBox keeps the proportions.
    view_box = root.get("viewBox")
    root.attrib = {"viewBox": view_box, "role": "img", "aria-label": description}
    return ET.tostring(root, encoding="unicode")


def _local(name):
    return name.rpartition("}")[2]


def _rewrite(key, value, name):
    if key == "id":
        return f"{name}-{value}"
    if key == "style":
        value = re.sub(r"#[0-9a-f]{6}", _variable, value)
    return re.sub(r"^#|(?<=url\()#", f"#{name}-", value)


def _variable(match):
    paint = _NAME_OF.get(match.group())
    return f"var(--{paint})" if paint else match.group()
