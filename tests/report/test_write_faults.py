import pytest

from nfl_keras.report import FaultPhotograph, FaultRow, FaultSection
from nfl_keras.report.write_faults import write_faults

HOSTILE = '<script>alert(1)</script> & "it\'s" {{ 7 * 7 }}'


def missing():
    raise FileNotFoundError("removed since")


@pytest.fixture(scope="module")
def page(tmp_path_factory, parse, photograph):
    def shown(seed, class_name, note=""):
        return FaultPhotograph(lambda: photograph(seed), f"{seed}.jpg", class_name, note)

    rows = [
        FaultRow([shown(0, "iris", "train"), shown(1, "iris", "0.98"), shown(2, "tulip")], "odd"),
        FaultRow([shown(3, ""), FaultPhotograph(missing, "gone.jpg", "iris")]),
    ]
    path = write_faults(
        tmp_path_factory.mktemp("faults") / "faults.html",
        title="Flowers",
        summary="5 photographs.",
        sections=[
            FaultSection("Duplicates", "Two groups.", "Key.", iter(rows), num_rows=1234),
            FaultSection("Leaks", "None.", "Key.", [], num_rows=0),
        ],
        notes=["By a pretrained backbone."],
    )
    return parse(path)


def test_sections_state_what_was_found_with_or_without_rows(page):
    assert [heading.text for heading in page.find("h1") + page.find("h2")] == [
        "Flowers",
        "Duplicates",
        "Leaks",
    ]
    keys = [" ".join(key.text.split()) for key in page.find("p", "key")]
    assert keys == [
        "Two groups.",
        "Key. ✓ green: the first\N{RIGHT SINGLE QUOTATION MARK}s label; ✗ red: another label.",
        "Not shown here: 1,232 more.",
        "None.",
    ]
    assert [note.text for note in page.find("div", "notes")[0].find("p")] == [
        "By a pretrained backbone."
    ]


def test_frames_tell_whether_the_label_is_the_firsts(page):
    first, second = page.find("li", "row")
    assert [figure.classes for figure in first.find("figure")] == [
        ["query"],
        ["neighbor", "right"],
        ["neighbor", "wrong"],
    ]
    assert [mark.text for mark in first.find("span", "mark")] == ["✓", "✗"]
    assert [name.text for name in first.find("span", "file")] == ["0.jpg", "1.jpg", "2.jpg"]
    assert [note.text for note in first.find("span", "note")] == ["train"]
    assert [fault.text for fault in first.find("span", "fault")] == ["odd"]
    assert second.find("figure")[1].classes == ["neighbor", "unlabeled"]
    assert second.find("span", "mark") == []


def test_a_photograph_that_was_removed_leaves_an_empty_tile(page):
    (tile,) = page.find("span", "unreadable")
    assert tile.attributes["aria-label"] == "gone.jpg, iris; the photograph cannot be read"


def test_the_page_needs_nothing_but_itself(page):
    (policy,) = [m for m in page.find("meta") if "http-equiv" in m.attributes]
    assert policy.attributes["content"].startswith("default-src 'none'")
    for element in page.every():
        assert element.tag not in ("script", "link", "iframe", "object", "base")
        if "src" in element.attributes:
            assert element.attributes["src"].startswith("data:image/jpeg;base64,")
    ids = [e.attributes["id"] for e in page.every() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    named = {e.attributes.get("aria-labelledby") for e in page.every()} - {None}
    assert named <= set(ids)


def test_users_text_is_text_wherever_it_stands(tmp_path, parse, photograph):
    shown = FaultPhotograph(lambda: photograph(0), HOSTILE, HOSTILE, HOSTILE)
    section = FaultSection(HOSTILE, HOSTILE, HOSTILE, [FaultRow([shown, shown], HOSTILE)], 1)
    path = tmp_path / "faults.html"
    write_faults(path, title=HOSTILE, summary=HOSTILE, sections=[section], notes=[HOSTILE])
    page = parse(path)
    assert page.find("script") == []
    texts = (
        page.find("h1") + page.find("h2") + page.find("span", "class") + page.find("span", "file")
    )
    assert {text.text for text in texts} == {HOSTILE}
