"""Why an answer is similar, as the pages show it."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from nfl_keras.report import Neighbor, RetrievalRow, write_search
from nfl_keras.report.drawn_explanation import draw_explanation, place
from nfl_keras.retrieval import Explanation, Link


@pytest.fixture
def explanation():
    pictures = Image.new("RGB", (60, 40), "teal"), Image.new("RGB", (30, 60), "navy")
    maps = np.array([[0.1, 0.4]]), np.array([[0.2], [0.3]])
    links = (
        Link((300, 0, 300, 400), (0, 300, 300, 300), 0.25),
        Link((0, 0, 9, 9), (0, 0, 9, 9), 0.1),
    )
    extents = (400, 600), (600, 300)
    return Explanation(0.5, maps, links, True, "regions", pictures, extents)


def test_a_page_draws_what_is_explained_with_words(explanation, photograph, parse, tmp_path):
    near = [
        Neighbor(photograph(1), "iris", 0.5, None),
        Neighbor(photograph(2), "pansy", 0.5, None, explanation),
    ]
    rows = [RetrievalRow(photograph(0), "q.jpg", near)]
    path = write_search(tmp_path / "page.html", title="t", summary="s", rows=rows)
    page = parse(path)
    [explained] = page.find("ol", "explained")
    images = explained.find("img")
    assert [image.attributes["alt"] for image in images] == [
        "Why answer 2: regions of the query, q.jpg, numbered from 1: center right; upper left",
        "Why answer 2: regions of the answer, pansy, numbered from 1: lower center; upper left",
    ]
    sizes = [(i.attributes["width"], i.attributes["height"]) for i in images]
    assert sizes == [("320", "213"), ("160", "320")]
    assert all(i.attributes["src"].startswith("data:image/jpeg;base64,") for i in images)
    words = " ".join(explained.find("figcaption")[0].text.split())
    assert "Similarity 0.500; exact: the parts" in words
    assert "1: center right and lower center, 0.2500; 2: upper left and upper left" in words
    assert any("Yellow regions add most" in key.text for key in page.find("p", "key"))


def test_an_approximation_is_named_one_and_other_pages_say_nothing(
    explanation, photograph, parse, tmp_path
):
    by_gradient = dataclasses.replace(explanation, is_exact=False, method="gradient", links=())
    drawn = draw_explanation(by_gradient, "a", "b")
    assert drawn.kind == "the maps are an approximation, by gradient"
    near = Neighbor(photograph(1), "iris", 0.5, None)
    rows = [RetrievalRow(photograph(0), "q.jpg", [near])]
    page = parse(write_search(tmp_path / "page.html", title="t", summary="s", rows=rows))
    assert page.find("ol", "explained") == []
    assert not any("Yellow" in key.text for key in page.find("p", "key"))


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0, 0, 10, 10), "upper left"),
        ((45, 0, 10, 10), "upper center"),
        ((45, 25, 10, 10), "center"),
        ((85, 25, 5, 10), "center right"),
        ((85, 55, 5, 5), "lower right"),
        ((0, 0, 90, 60), "center"),
    ],
)
def test_places_in_words(box, words):
    assert place(box, (60, 90)) == words
