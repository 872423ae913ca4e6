"""Search in a gallery gives what a loop over all its photographs gives."""

import dataclasses
import json

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image

from nfl_keras.errors import UserError
from nfl_keras.gallery.gallery import Gallery
from nfl_keras.gallery.storage.open_store import open_store


@pytest.fixture
def gallery(images, model, place):
    return Gallery.build(images, model, place("gallery"), crops=1)


@pytest.fixture
def ranked(gallery):
    """A function from a vector and allowed ids to ids, the most similar first, by a plain loop."""

    def rank(vector, allowed=None):
        ids = gallery.items["id"].to_pylist()
        vectors = gallery.vectors(ids).astype(np.float64)
        found = sorted(
            (-float(np.dot(vector, row)), name)
            for name, row in zip(ids, vectors, strict=True)
            if allowed is None or name in allowed
        )
        return [name for _, name in found]

    return rank


def ids_of(matches):
    return [[match.id for match in found] for found in matches]


def test_vectors_give_the_whole_ranking_with_metadata(gallery, ranked):
    query = np.random.default_rng(0).standard_normal((5, 3))
    matches = gallery.search(query, k=100)
    for row, ids in zip(query, ids_of(matches), strict=True):
        assert ids == ranked(row)
    first = matches[0][0]
    unit = query[0] / np.linalg.norm(query[0])
    assert first.similarity == pytest.approx(float(gallery.vectors([first.id])[0] @ unit), abs=1e-6)
    assert (first.is_match, first.metadata) == (None, {})
    assert ids_of(gallery.search(query[0], k=2)) == [ranked(query[0])[:2]]


def test_a_photograph_in_every_form_finds_itself(gallery, images):
    path = images / "red/2.png"
    for form in (str(path), path, path.read_bytes(), Image.open(path), np.array(Image.open(path))):
        assert ids_of(gallery.search(form, k=1)) == [["red/2.png"]]
    several = gallery.search([path, images / "green/1.png"], k=1)
    assert ids_of(several) == [["red/2.png"], ["green/1.png"]]
    assert several.queries == [str(path), str(images / "green/1.png")]


def test_photographs_of_one_thing_are_averaged(gallery, images, ranked):
    names = ["red/1.png", "green/1.png"]
    matches = gallery.search([[images / name for name in names], images / "loose.png"], k=3)
    mean = gallery.vectors(names).mean(axis=0)
    assert ids_of(matches)[0] == ranked(mean)[:3]
    assert ids_of(matches)[1][0] == "loose.png"


def test_more_like_these_and_less_like_those(gallery, images, ranked):
    red, green, blue = gallery.vectors(["red/1.png", "green/1.png", "blue/deep/1.png"])
    found = gallery.search(images / "red/1.png", k=7, positive=["green/1.png"])
    assert ids_of(found) == [ranked((red + green) / 2)]
    found = gallery.search(images / "red/1.png", k=7, negative=["blue/deep/1.png"])
    assert ids_of(found) == [ranked(red - blue / 2)]
    found = gallery.search(k=7, positive=["green/1.png", "red/1.png"])
    assert ids_of(found) == [ranked((red + green) / 2)]
    with pytest.raises(UserError, match=r"there is no 'x.png' in the gallery"):
        gallery.search(positive=["x.png"])
    with pytest.raises(UserError, match="there is nothing to search for"):
        gallery.search()


def test_conditions_leave_all_answers_that_fulfill_them(gallery, images, ranked):
    found = gallery.search(images / "red/1.png", k=3, where="label = green, deep")
    allowed = ["green/1.png", "green/2.png", "blue/deep/1.png"]
    assert ids_of(found) == [ranked(gallery.vectors(["red/1.png"])[0], allowed)]
    nothing = gallery.search(images / "red/1.png", where="label = yellow")
    assert ids_of(nothing) == [[]]
    assert repr(nothing) == f"{images / 'red/1.png'}: nothing found"


def test_an_expression_is_a_condition(images, model, tmp_path):
    gallery = Gallery.build(images, model, tmp_path / "gallery", crops=1)
    found = gallery.search(images / "red/1.png", where=pc.field("label") == "green")
    assert sorted(ids_of(found)[0]) == ["green/1.png", "green/2.png"]


def test_a_crop_of_the_query_is_searched_for(gallery, tmp_path):
    two = np.zeros((16, 32, 3), np.uint8)
    two[:, :16] = (250, 10, 10)
    two[:, 16:] = (10, 250, 20)
    Image.fromarray(two).save(tmp_path / "two.png")
    left = gallery.search(tmp_path / "two.png", k=1, crop=(0, 0, 16, 16))
    right = gallery.search(tmp_path / "two.png", k=1, crop=(16, 0, 16, 16))
    assert ids_of(left)[0][0].startswith("red")
    assert ids_of(right)[0][0].startswith("green")
    with pytest.raises(UserError, match=r"the crop 16,0,17,16 is not within .* 32 x 16 pixels"):
        gallery.search(tmp_path / "two.png", crop=(16, 0, 17, 16))
    damaged = (tmp_path / "two.png").read_bytes()[:60]
    with pytest.raises(UserError, match="'#1' cannot be used: truncated or damaged"):
        gallery.search(damaged, crop=(0, 0, 16, 16))


def test_a_threshold_says_match_or_no_match(gallery, images):
    matches = gallery.search(images / "red/1.png", k=7, threshold=0.9)
    for match in matches[0]:
        assert match.is_match == (match.similarity >= 0.9)
    assert {match.is_match for match in matches[0]} == {True, False}
    assert matches.to_arrow()["match"].to_pylist() == [m.is_match for m in matches[0]]
    refused = gallery.search(images / "red/1.png", k=1, where="label = green", threshold=0.9)
    assert "no match (best" in repr(refused)


def test_the_result_prints_itself_and_becomes_arrow_and_json(gallery, images):
    matches = gallery.search([images / "red/1.png", images / "green/1.png"], k=2)
    assert len(matches) == 2
    lines = repr(matches).splitlines()
    assert lines[0] == str(images / "red/1.png")
    assert lines[1].split() == ["1", "1.000", "red", "red/1.png"]
    table = matches.to_arrow()
    assert table.column_names == ["query", "rank", "similarity", "id", "label"]
    assert table["rank"].to_pylist() == [1, 2, 1, 2]
    assert table["id"].to_pylist() == [match.id for found in matches for match in found]
    parsed = json.loads(matches.to_json())
    assert [entry["query"] for entry in parsed] == matches.queries
    assert parsed[0]["matches"][0]["id"] == "red/1.png"


def test_metadata_of_a_table(images, model, place):
    table = images / "catalog.csv"
    table.write_text("path;Label;year;price\nred/1.png;007;1990;1.5\nloose.png;rose;2001;\n")
    gallery = Gallery.build(table, model, place("gallery"))
    assert gallery.items.to_pylist() == [
        {"id": "loose.png", "label": "rose", "year": 2001, "price": None},
        {"id": "red/1.png", "label": "007", "year": 1990, "price": 1.5},
    ]
    found = gallery.search(images / "red/1.png", where=["year < 2000", "price >= 1"])
    assert found[0][0].metadata == {"year": 1990, "price": 1.5}


def test_queries_that_cannot_be_used_are_named(gallery, tmp_path):
    with pytest.raises(UserError, match=r"the photograph .*gone.jpg' cannot be used: cannot be"):
        gallery.search(tmp_path / "gone.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"text")
    with pytest.raises(UserError, match=r"bad.jpg' cannot be used: not an image"):
        gallery.search([tmp_path / "bad.jpg"])
    for vectors in (np.zeros((1, 3)), np.ones((1, 4)), np.full((1, 3), np.nan)):
        with pytest.raises(UserError, match="vectors to search with must be finite and not zero"):
            gallery.search(vectors)


def test_photographs_go_to_no_server_that_a_gallery_names(gallery, images, place):
    with open_store(place("gallery")).locked() as store:
        store.write_manifest(dataclasses.replace(store.manifest(), model="example.org:8500"))
    opened = Gallery.open(place("gallery"))
    assert len(opened.search(positive=["red/1.png"], k=2)[0]) == 2
    with pytest.raises(UserError, match=r"by the server example.org:8500; give it as the model"):
        opened.search(images / "red/1.png")


def test_an_open_gallery_stays_as_it_was(gallery, images, model, place, png):
    before = ids_of(gallery.search(np.eye(3), k=9))
    (images / "red/1.png").unlink()
    (images / "new.png").write_bytes(png((200, 200, 200)))
    changed = Gallery.build(images, model, place("gallery"), crops=1)
    assert ids_of(gallery.search(np.eye(3), k=9)) == before
    assert ids_of(Gallery.open(place("gallery")).search(np.eye(3), k=9)) == ids_of(
        changed.search(np.eye(3), k=9)
    )
    assert "red/1.png" not in changed.items["id"].to_pylist()


def test_photographs_are_read_where_they_are(gallery, images, place, tmp_path):
    row = gallery.items["id"].to_pylist().index("red/1.png")
    assert gallery.read(row) == (images / "red/1.png").read_bytes()
    images.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="cannot be read"):
        gallery.read(row)
    moved = Gallery.open(place("gallery"), images=tmp_path / "elsewhere")
    assert moved.read(row)
