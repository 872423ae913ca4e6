"""What the page shows, without a browser."""

import logging
import re

import pytest

from nfl_keras.web.asked import WHOLE
from nfl_keras.web.callbacks import Callbacks


@pytest.fixture
def search(gallery, uploads):
    callbacks = Callbacks(gallery, uploads)

    def call(photograph="rose.png", picked="", where="", k=5, threshold="", edges=WHOLE):
        path = photograph and str(uploads / photograph)
        return callbacks.search(path, picked, *edges, where, k, threshold)

    return call


def ids(html):
    return re.findall(r'data-do="pick" data-id="([^"]+)"', html)


def test_the_answers_are_those_of_the_gallery(gallery, uploads, search):
    expected = gallery.search(uploads / "rose.png", k=5)
    status, _, html = search()
    assert ids(html) == [match.id for match in expected[0]]
    assert re.search(r"5 answers\. Searched 12 in [\d,]+ ms\.", status)
    assert f"similarity {expected[0][0].similarity:.3f}." in html
    assert "Searched from: Your photograph" in html
    assert 'data-do="leave"' not in html
    cropped = gallery.search(uploads / "rose.png", k=5, crop=(0, 0, 16, 12))
    html = search(edges=(0, 50, 0, 50)).answers
    assert f"Answer 1: {cropped[0][0].label}, similarity {cropped[0][0].similarity:.3f}." in html


def test_an_answer_is_searched_from_by_its_stored_vector(gallery, search):
    status, _, html = search("", picked="iris/0.png", where="label != iris\nyear >= 1991", k=3)
    expected = gallery.search(positive=["iris/0.png"], k=3, where=["label != iris", "year >= 1991"])
    assert ids(html) == [match.id for match in expected[0]]
    assert 'data-do="leave"' in html
    assert "3 answers." in status


def test_a_photograph_that_is_gone_is_an_empty_tile(search):
    *_, html = search("", picked="iris/0.png", k=1)
    assert ids(html) == ["iris/0.png"]
    assert html.count("the photograph cannot be read") == 2


def test_answers_are_matches_from_the_threshold_on(gallery, uploads, search):
    similar = [m.similarity for m in gallery.search(uploads / "rose.png", k=5)[0]]
    between = (similar[1] + similar[2]) / 2
    status, _, html = search(threshold=str(between))
    assert "5 answers, 2 of them a match." in status
    assert (html.count('"neighbor right"'), html.count('"neighbor wrong"')) == (2, 3)
    best = gallery.search(uploads / "rose.png", k=1, where="label = iris")[0][0].similarity
    status, *_ = search(threshold="1", where="label = iris")
    assert f"the most similar photograph has {best:.3f}, and a match needs 1.000" in status
    assert "No photograph fulfills the conditions." in search(where="year > 3000")[0]


def test_names_are_escaped(gallery, search):
    *_, html = search(where="label = <b>")
    assert "<b>" not in html
    status, *_ = search(where="a&b = 1")
    assert "There is no column &#39;a&amp;b&#39;" in status


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"photograph": ""}, "Choose a photograph to search for."),
        ({"photograph": "gone.png"}, "The photograph is no longer here; choose it again."),
        ({"photograph": "text.jpg"}, "This photograph cannot be used: not an image."),
        ({"photograph": "text.jpg", "edges": (0, 50, 0, 50)}, "cannot be used: not an image."),
        ({"photograph": "half.png"}, "This photograph cannot be used: truncated or damaged."),
        ({"photograph": "half.png", "edges": (0, 50, 0, 50)}, "truncated or damaged."),
        ({"where": "rose"}, "The condition &#39;rose&#39; cannot be understood; write it as"),
        ({"picked": "other.png"}, "other.png"),
        ({"k": 1000}, "The number of answers must be a number from 1 to 100."),
    ],
)
def test_errors_are_words(uploads, search, sent, words):
    (uploads / "text.jpg").write_text("This is no photograph.")
    (uploads / "half.png").write_bytes((uploads / "rose.png").read_bytes()[:700])
    status, _, html = search(**sent)
    assert words in status
    assert 'class="said wrong"' in status
    assert html == ""


def test_an_unexpected_error_is_logged_and_answered_in_words(gallery, uploads, caplog):
    class Broken:
        def search(self, *_, **__):
            raise RuntimeError("secret")

    callbacks = Callbacks(Broken(), uploads)
    with caplog.at_level(logging.ERROR):
        status, *_ = callbacks.search(str(uploads / "rose.png"), "", *WHOLE, "", 5, "")
    assert "This failed. The server&#39;s log says why." in status
    assert "secret" not in status
    assert "secret" in caplog.text


def test_an_answer_is_explained_or_the_page_says_why_not(gallery, uploads):
    callbacks = Callbacks(gallery, uploads)
    html = callbacks.why("rose/1.png", 2, str(uploads / "rose.png"), "", *WHOLE)
    assert "Why answer 2?" in html
    assert html.count("<img ") == 2
    [match] = gallery.search(uploads / "rose.png", where="id = rose/1.png")[0]
    assert f"Similarity {match.similarity:.3f}; exact" in html
    assert "<img " in callbacks.why("rose/1.png", 1, "", "tulip/0.png", *WHOLE)
    for answer, picked in (("rose/1.png", "iris/0.png"), (None, "rose/1.png")):
        assert 'class="said wrong"' in callbacks.why(answer, 1, "", picked, *WHOLE)
    assert "from 1 to 100" in callbacks.why("rose/1.png", "<b>", "", "rose/1.png", *WHOLE)


def test_the_preview_shows_the_part(gallery, uploads):
    callbacks = Callbacks(gallery, uploads)
    html = callbacks.preview(str(uploads / "rose.png"), 10, 60, 20, 100)
    assert "left: 10.0%; right: 40.0%; top: 20.0%; bottom: 0.0%" in html
    assert "<img " in html
    assert callbacks.preview("", *WHOLE) == callbacks.preview("/etc/passwd", *WHOLE) == ""
    drawn = {"left": 9.6, "right": 60.2, "top": 20, "bottom": 99.9}
    assert callbacks.drawn(drawn) == (9, 61, 20, 100)
    assert callbacks.drawn({**drawn, "left": 70}) == callbacks.drawn(None) == WHOLE
