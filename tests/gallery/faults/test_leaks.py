import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import connected, drawn_catalogs, similarity_of, small_catalog

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults import similar_pairs as module
from nfl_keras.gallery.faults.leaks import leaks, leaks_between_splits


def names(found):
    return sorted(
        sorted((m.photograph.part, m.photograph.id) for m in group.members)
        for group in found.groups
    )


@given(drawn_catalogs(), drawn_catalogs(prefix="o"), st.sampled_from([0.5, 1.0]))
def test_leaks_between_catalogs_are_those_of_a_double_loop(catalog, other, threshold):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 7)
        found = leaks(catalog, other, threshold, names=("a", "b"))
    edges = [
        (("a", catalog.ids[i]), ("b", other.ids[j]))
        for i in range(len(catalog))
        for j in range(len(other))
        if catalog.hashes[i] == other.hashes[j] or similarity_of(catalog, i, other, j) >= threshold
    ]
    assert names(found) == connected(edges)
    assert found.num_photographs == len(catalog) + len(other)
    for group in found.groups:
        for member in group.members:
            assert member.photograph.read().decode() + ".jpg" == member.photograph.id


@given(drawn_catalogs(), st.sampled_from([0.5, 1.0]), st.data())
def test_leaks_between_splits_are_those_of_a_double_loop(catalog, threshold, data):
    count = len(catalog)
    split = st.sampled_from(["train", "test", "gallery"])
    splits = data.draw(st.lists(split, min_size=count, max_size=count))
    found = leaks_between_splits(catalog, splits, threshold)
    edges = []
    for i in range(count):
        same = [j for j in range(count) if catalog.hashes[j] == catalog.hashes[i]]
        leaked = len({splits[j] for j in same}) > 1
        for j in range(i):
            near = similarity_of(catalog, i, catalog, j) >= threshold
            if (near and splits[i] != splits[j]) or (leaked and j in same):
                edges.append(((splits[i], catalog.ids[i]), (splits[j], catalog.ids[j])))
    assert names(found) == connected(edges)
    for group in found.groups:
        assert len({member.photograph.part for member in group.members}) > 1


def test_the_table_names_the_parts():
    catalog = small_catalog([0, 1, 0], labels=["iris", "iris", "tulip"])
    assert repr(
        leaks_between_splits(catalog, np.array(["train", "train", "test"]))
    ).splitlines() == [
        "2 of 3 photographs are in groups, at similarity 0.95 or more",
        "groups: 1, of identical files: 0, with different labels: 1",
        "group  id     label  part   content  similarity",
        "1      0.jpg  iris   train  1        1.0000",
        "1      2.jpg  tulip  test   2        1.0000",
    ]


def test_another_number_of_splits_is_refused():
    with pytest.raises(UserError, match="there are 1 splits for 2 photographs: give one for each"):
        leaks_between_splits(small_catalog([0, 1]), ["train"])
