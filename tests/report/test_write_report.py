import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nfl_keras import files
from nfl_keras.report import Neighbor, RetrievalRow
from nfl_keras.report.draw_curves import draw_curves
from nfl_keras.report.write_report import write_report

HOSTILE = '<script>alert(1)</script> & "it\'s" {{ 7 * 7 }}'
MODELS = {
    "Frozen backbone": {"Recall@1": 0.7804, "mAP": 0.4213},
    "Untrained": {"Recall@1": 0.7, "mAP": 0.4},
    "Trained": {"Recall@1": 0.9294, "mAP": 0.3913, "queries": 1360},
}
HISTORY = {
    "epoch": [1, 2, 3, 4],
    "loss": [3.0, 2.0, 1.5, 1.2],
    "L_D": [2.0, 1.0, 0.8, 0.7],
    "recall@1": [None, 0.85, float("nan"), 0.93],
    "map": [None, 0.4, None, 0.39],
}


@pytest.fixture(scope="module")
def rows(photograph):
    def neighbor(seed, class_name, similarity, correct):
        return Neighbor(photograph(seed), class_name, similarity, correct)

    return [
        RetrievalRow(
            photograph(0),
            "iris",
            [neighbor(1, "iris", 0.914, True), neighbor(2, "pansy", 0.806, False)],
            note="highest average precision",
        ),
        RetrievalRow(photograph(3), "tulip", [neighbor(4, "daisy", -0.25, False)]),
    ]


def arguments(**replaced):
    usual = {
        "title": "Flowers-17",
        "summary": "255 queries.",
        "models": MODELS,
        "curves": [],
        "rows": [],
        "config": {"model": {"temperature": 0.1}, "resume": False},
        "notes": ["Epoch 4 was kept."],
    }
    return usual | replaced


@pytest.fixture(scope="module")
def page(tmp_path_factory, parse, rows):
    path = tmp_path_factory.mktemp("run") / "report.html"
    write_report(path, **arguments(curves=draw_curves(HISTORY, best_epoch=4), rows=rows))
    return parse(path)


def test_headline_table_states_every_value_and_the_change(page):
    (table,) = page.find("table", "metrics")
    cells = [[cell.text for cell in row.find("th") + row.find("td")] for row in table.find("tr")]
    assert cells == [
        ["Model", "Recall@1", "mAP", "queries"],
        ["Frozen backbone", "78.04%", "42.13%", "—"],
        ["Untrained", "70.00%", "40.00%", "—"],
        ["Trained", "92.94%", "39.13%", "1,360"],
        ["Trained against frozen backbone, points", "+14.90", "\N{MINUS SIGN}3.00", ""],
    ]


def test_title_summary_and_notes_are_there(page):
    assert [heading.text for heading in page.find("h1")] == ["Flowers-17"]
    assert [title.text for title in page.find("title")] == ["Flowers-17"]
    assert [text.text for text in page.find("p", "summary")] == ["255 queries."]
    (notes,) = page.find("div", "notes")
    assert [note.text for note in notes.find("p")] == ["Epoch 4 was kept."]


def test_frames_tell_right_from_wrong_in_color_mark_and_words(page):
    first, second = page.find("li", "row")
    assert len(first.find("figure", "right")) == 1
    assert len(first.find("figure", "wrong")) == 1
    assert len(second.find("figure", "right")) == 0
    assert len(second.find("figure", "wrong")) == 1
    assert [mark.text for mark in first.find("span", "mark")] == ["✓", "✗"]
    assert [count.text for count in page.find("span", "count")] == ["1 of 2 right", "0 of 1 right"]
    assert [image.attributes["alt"] for image in first.find("img")] == [
        "Query: iris",
        "iris, right, similarity 0.91",
        "pansy, wrong, similarity 0.81",
    ]
    assert [note.text for note in page.find("span", "note")] == ["highest average precision"]


def test_settings_are_folded_and_flat(page):
    (details,) = page.find("details")
    assert "open" not in details.attributes
    rows = [row.find("th") + row.find("td") for row in details.find("tr")]
    assert [[cell.text for cell in row] for row in rows] == [
        ["model.temperature", "0.1"],
        ["resume", "false"],
    ]


def test_page_needs_nothing_but_itself(page):
    for element in page.every():
        assert element.tag not in ("script", "link", "iframe", "object", "base")
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            if name == "src":
                assert value.startswith("data:image/jpeg;base64,")
            if name == "href":
                assert value.startswith("#")
    (style,) = page.find("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_ids_are_unique_and_every_reference_leads_somewhere(page):
    ids = [e.attributes["id"] for e in page.every() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    links = [e.attributes["href"] for e in page.every() if "href" in e.attributes]
    assert links
    assert {link[1:] for link in links} <= set(ids)
    named = [e.attributes.get("aria-labelledby") for e in page.every()]
    assert {name for name in named if name} <= set(ids)


def test_parts_with_nothing_to_show_are_left_out(tmp_path, parse):
    path = tmp_path / "report.html"
    write_report(path, **arguments(models={"Trained": {"mAP": 0.5}}, notes=[], config={}))
    page = parse(path)
    assert [heading.text for heading in page.find("h2")] == ["Result"]
    assert [cell.text for cell in page.find("thead")[0].find("th")] == ["Model", "mAP"]
    assert page.find("svg") + page.find("details") + page.find("ol") == []


def test_users_text_is_text_wherever_it_stands(tmp_path, parse, photograph):
    near = Neighbor(photograph(1), HOSTILE, 0.5, True)
    path = tmp_path / "report.html"
    write_report(
        path,
        title=HOSTILE,
        summary=HOSTILE,
        models={HOSTILE: {HOSTILE: HOSTILE}},
        curves=draw_curves({"epoch": [1, 2], HOSTILE: [1.0, 2.0], "$x^{$": [2.0, 1.0]}),
        rows=[RetrievalRow(photograph(0), HOSTILE, [near], note=HOSTILE)],
        config={HOSTILE: HOSTILE},
        notes=[HOSTILE],
    )
    page = parse(path)
    assert page.find("script") == []
    assert page.find("h1")[0].text == HOSTILE
    assert [name.text for name in page.find("span", "class")] == [HOSTILE, HOSTILE]
    assert page.find("img")[0].attributes["alt"] == f"Query: {HOSTILE}"
    assert page.find("table", "settings")[0].find("td")[0].text == HOSTILE
    assert any(text.text == "$x^{$" for text in page.find("text"))


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_comes_back_as_it_was(tmp_path_factory, parse, text):
    path = tmp_path_factory.mktemp("any") / "report.html"
    write_report(path, **arguments(title=text, config={text: text}))
    page = parse(path)
    assert page.find("h1")[0].text == text
    assert page.find("table", "settings")[0].find("td")[0].text == text


def test_names_that_are_no_text_do_not_stop_the_page(tmp_path, parse):
    path = write_report(tmp_path / "report.html", **arguments(title="a\udcffb"))
    assert parse(path).find("h1")[0].text == "a?b"


def test_same_arguments_same_bytes(tmp_path, rows):
    paths = [tmp_path / "1.html", tmp_path / "2.html"]
    for path in paths:
        write_report(path, **arguments(curves=draw_curves(HISTORY), rows=rows))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_unreadable_photographs_become_placeholders(tmp_path, parse, photograph):
    row = RetrievalRow(b"", "iris", [Neighbor(photograph(1)[:900], "pansy", 0.5, False)])
    path = write_report(tmp_path / "report.html", **arguments(rows=[row]))
    page = parse(path)
    assert page.find("img") == []
    assert [tile.attributes["aria-label"] for tile in page.find("span", "unreadable")] == [
        "Query: iris; the photograph cannot be read",
        "pansy, wrong, similarity 0.50; the photograph cannot be read",
    ]


def test_ten_rows_of_ten_stay_below_two_megabytes(tmp_path, photograph):
    pictures = [photograph(seed, size=(500, 375)) for seed in range(10)]
    near = [Neighbor(picture, "iris", 0.5, True) for picture in pictures]
    rows = [RetrievalRow(picture, "iris", near) for picture in pictures]
    path = write_report(
        tmp_path / "report.html", **arguments(curves=draw_curves(HISTORY), rows=rows)
    )
    assert path.stat().st_size < 2_000_000


def test_failing_render_leaves_the_old_page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    circular = {}
    circular["itself"] = [circular]
    with pytest.raises(ValueError, match="Circular reference"):
        write_report(path, **arguments(config=circular))
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_failing_write_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, **arguments())
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"
