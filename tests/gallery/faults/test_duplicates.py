import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import connected, drawn_catalogs, similarity_of, small_catalog

from nfl_keras.gallery.faults import similar_pairs as module
from nfl_keras.gallery.faults.duplicates import duplicates


@given(drawn_catalogs(), st.sampled_from([0.5, 1.0]), st.integers(1, 30))
def test_groups_are_those_of_a_double_loop(catalog, threshold, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        found = duplicates(catalog, threshold)
    hashes = catalog.hashes.tolist()
    similarity = {
        (i, j): 1.0 if hashes[i] == hashes[j] else similarity_of(catalog, i, catalog, j)
        for i in range(len(catalog))
        for j in range(i)
    }
    edges = [pair for pair in similarity if similarity[pair] >= threshold]
    names = [[f"{i}.jpg" for i in group] for group in connected(edges)]
    assert sorted([m.photograph.id for m in g.members] for g in found.groups) == sorted(names)
    keys = []
    for group in found.groups:
        members = [catalog.ids.index(member.photograph.id) for member in group.members]
        contents = list(dict.fromkeys(hashes[i] for i in members))
        for i, member in zip(members, group.members, strict=True):
            assert member.similarity == max(similarity[edge] for edge in edges if i in edge)
            assert contents[member.content - 1] == hashes[i]
            assert member.photograph.label == catalog.labels[i]
            assert member.photograph.read() == str(i).encode()
        least = min(member.similarity for member in group.members)
        keys.append((len(contents) > 1, -least, members[0]))
        assert group.identical == (len(contents) == 1)
        assert set(group.labels) == {catalog.labels[i] for i in members} - {None}
    assert keys == sorted(keys)


@pytest.fixture(scope="module")
def found():
    labels = ["iris", "iris", "tulip", None, "pansy"]
    return duplicates(small_catalog([0, 7, 0, 7, 9], [5, 6, 4, 6, 3], labels), threshold=0.9)


def test_the_table_states_both_kinds_and_every_photograph(found):
    assert repr(found).splitlines() == [
        "4 of 5 photographs are in groups, at similarity 0.9 or more",
        "groups: 2, of identical files: 1, with different labels: 1",
        "group  id     label  content  similarity",
        "1      1.jpg  iris   1        1.0000",
        "1      3.jpg         1        1.0000",
        "2      0.jpg  iris   1        1.0000",
        "2      2.jpg  tulip  2        1.0000",
    ]


def test_arrow_and_json_have_the_same_rows(found):
    table = found.to_arrow()
    assert table.column("id").to_pylist() == ["1.jpg", "3.jpg", "0.jpg", "2.jpg"]
    assert table.column("group").to_pylist() == [1, 1, 2, 2]
    assert json.loads(found.to_json()) == {
        "num_photographs": 5,
        "threshold": 0.9,
        "photographs": table.to_pylist(),
    }


def test_nothing_found_is_an_answer_with_the_same_columns(found):
    nothing = duplicates(small_catalog([0, 15]))
    assert nothing.groups == ()
    assert nothing.to_arrow().schema == found.to_arrow().schema
    assert json.loads(nothing.to_json())["photographs"] == []
    assert repr(nothing).startswith("0 of 2 photographs are in groups")


@pytest.mark.parametrize("dtype", [object, "U3", "S3"])
def test_hashes_may_be_text_of_any_kind(dtype):
    catalog = small_catalog([0, 7, 9], np.array(["5e1", "90a", "5e1"], dtype))
    (group,) = duplicates(catalog).groups
    assert group.identical
    assert [member.photograph.id for member in group.members] == ["0.jpg", "2.jpg"]
