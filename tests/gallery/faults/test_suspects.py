import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import drawn_catalogs, similarity_of, small_catalog

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults import suspects as module
from nfl_keras.gallery.faults.suspects import suspects


def oracle(catalog, k):
    """Each suspect's id, label suggested, similarity and margin, from sorting in plain Python."""
    labels, hashes = catalog.labels, catalog.hashes.tolist()
    labeled = [i for i in range(len(catalog)) if labels[i] is not None]
    firsts = [i for i in labeled if hashes[i] not in [hashes[j] for j in labeled if j < i]]
    found, compared = [], 0
    for i in labeled:
        others = [j for j in firsts if hashes[j] != hashes[i]]
        order = sorted(others, key=lambda j: (-similarity_of(catalog, i, catalog, j), j))
        alike = [similarity_of(catalog, i, catalog, j) for j in others if labels[j] == labels[i]]
        compared += bool(alike)
        near = order[:k]
        suggested = {labels[j] for j in near}
        if not alike or len(near) < k or len(suggested) > 1 or labels[i] in suggested:
            continue
        if max(alike) < similarity_of(catalog, i, catalog, near[-1]):
            mean = sum(similarity_of(catalog, i, catalog, j) for j in near) / k
            row = catalog.ids[i], suggested.pop(), round(mean, 6), round(mean - max(alike), 6)
            found.append((row, [catalog.ids[j] for j in near]))
    return sorted(found, key=lambda each: -each[0][3]), compared


@given(drawn_catalogs(), st.integers(1, 4), st.integers(1, 30))
def test_suspects_are_those_of_sorting_in_plain_python(catalog, k, queries):
    expected, compared = oracle(catalog, k)
    if not any(catalog.labels):
        with pytest.raises(UserError, match="no photograph of the catalog has a label"):
            suspects(catalog, k)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_QUERIES", queries)
        found = suspects(catalog, k)
    assert found.num_photographs == compared
    rows = [
        (
            (s.photograph.id, s.suggested, s.similarity, s.margin),
            [photograph.id for photograph, _ in s.neighbors],
        )
        for s in found.suspects
    ]
    assert rows == expected
    for suspect in found.suspects:
        assert {photograph.label for photograph, _ in suspect.neighbors} == {suspect.suggested}
        assert len(suspect.neighbors) == k


@pytest.fixture(scope="module")
def found():
    labels = ["iris", "iris", "iris", "tulip", "tulip", "pansy", None, "tulip"]
    return suspects(small_catalog([0, 0, 0, 0, 15, 0, 0, 15], labels=labels), k=3)


def test_a_label_that_no_other_photograph_has_is_no_suspect(found):
    assert [suspect.photograph.id for suspect in found.suspects] == ["3.jpg"]


def test_it_prints_as_a_table(found):
    assert repr(found).splitlines() == [
        "1 of 6 labels differ from the one label of all 3 nearest photographs",
        "margin  label  suggested  id",
        "2.0000  tulip  iris       3.jpg",
    ]


def test_arrow_and_json_have_the_same_rows(found):
    rows = found.to_arrow().to_pylist()
    assert rows == [
        {
            "id": "3.jpg",
            "label": "tulip",
            "suggested": "iris",
            "margin": 2.0,
            "similarity": 1.0,
            "neighbors": ["0.jpg", "1.jpg", "2.jpg"],
        }
    ]
    assert json.loads(found.to_json()) == {"num_photographs": 6, "k": 3, "suspects": rows}


def test_copies_do_not_confirm_a_wrong_label():
    labels = ["iris", "iris", "iris", "tulip", "tulip", "tulip"]
    catalog = small_catalog([0, 0, 0, 0, 0, 15], [1, 2, 3, 4, 4, 5], labels)
    found = suspects(catalog, k=3)
    assert [suspect.photograph.id for suspect in found.suspects] == ["3.jpg", "4.jpg"]


def test_labels_are_needed():
    with pytest.raises(UserError, match="no photograph of the catalog has a label"):
        suspects(small_catalog([0, 1]))
    with pytest.raises(UserError, match="k must be a whole number"):
        suspects(small_catalog([0], labels=["iris"]), k=0)
