import matplotlib
import pytest
from matplotlib.figure import Figure

from nfl_keras.report.inline_svg import PAINT, STYLE, to_inline_svg


def drawing():
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=PAINT["series-1"], marker="o")
        axes.fill_between([0, 1], [0, 1], color="#abcdef")
        axes.set_title("a < b & $c$")
    return figure


@pytest.fixture
def svg(parse):
    return parse(to_inline_svg(drawing(), "first", 'says "a" < b'))


def test_one_svg_element_without_header_metadata_or_style_sheet(svg):
    assert [child.tag for child in svg.children] == ["svg"]
    assert {"metadata", "style", "title"}.isdisjoint(e.tag for e in svg.every())
    attributes = svg.children[0].attributes
    assert attributes["aria-label"] == 'says "a" < b'
    assert attributes["role"] == "img"
    assert "width" not in attributes


def test_text_stays_text(svg):
    assert "a < b & $c$" in [text.text for text in svg.find("text")]


def test_paints_become_the_pages_variables_and_other_colors_stay(svg):
    styles = " ".join(e.attributes.get("style", "") for e in svg.every())
    assert "stroke: var(--series-1)" in styles
    assert "#abcdef" in styles
    assert not any(color in styles for color in PAINT.values())


def test_ids_of_two_drawings_never_meet(parse):
    def ids(name):
        root = parse(to_inline_svg(drawing(), name, ""))
        return [e.attributes["id"] for e in root.every() if "id" in e.attributes]

    first, second = ids("first"), ids("second")
    assert len(first) == len(set(first)) > 0
    assert set(first).isdisjoint(second)


def test_references_follow_their_ids(svg):
    ids = {e.attributes["id"] for e in svg.every() if "id" in e.attributes}
    links = {e.attributes["href"] for e in svg.find("use")}
    clips = {e.attributes["clip-path"] for e in svg.every() if "clip-path" in e.attributes}
    assert links
    assert clips
    assert links <= {f"#{name}" for name in ids}
    assert clips <= {f"url(#{name})" for name in ids}


def test_same_figure_same_text():
    assert to_inline_svg(drawing(), "a", "") == to_inline_svg(drawing(), "a", "")
