import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.hold_out import hold_out_validation
from nfl_keras.data.split_set import split_set
from nfl_keras.errors import UserError

sizes_of_classes = st.lists(st.integers(2, 12), min_size=2, max_size=7)


def names_of(image_set):
    return {image_set.class_names[label] for label in image_set.labels}


def counts_of(image_set):
    counts = np.bincount(image_set.labels)
    return {image_set.class_names[label]: int(counts[label]) for label in image_set.classes}


def whole_and_splits(named_set, sizes, protocol, seed=0, **arguments):
    whole = named_set(sizes, interleaved=True)
    return whole, [
        split_set(whole, protocol, split, seed, **arguments)
        for split in ("train", "gallery", "query")
    ]


@given(sizes_of_classes)
def test_zero_shot_trains_on_the_first_half_of_the_classes(named_set, sizes):
    whole, (train, gallery, query) = whole_and_splits(named_set, sizes, "zero-shot")
    half = len(sizes) // 2
    assert counts_of(train) == {f"class {c}": sizes[c] for c in range(half)}
    assert counts_of(query) == {f"class {c}": sizes[c] for c in range(half, len(sizes))}
    assert query.ids.tolist() == gallery.ids.tolist()
    assert set(train.ids) | set(query.ids) == set(whole.ids)
    assert f"{half} classes ({sum(sizes[:half])} photographs)" in query.description
    assert f"{len(sizes) - half} others ({sum(sizes[half:])})" in query.description


@given(sizes_of_classes, st.integers(0, 50))
def test_fine_grained_without_counts_halves_each_class(named_set, sizes, seed):
    whole, (train, gallery, query) = whole_and_splits(named_set, sizes, "fine-grained", seed)
    assert counts_of(train) == {f"class {c}": size // 2 for c, size in enumerate(sizes)}
    assert counts_of(query) == {f"class {c}": size - size // 2 for c, size in enumerate(sizes)}
    assert query.ids.tolist() == gallery.ids.tolist()
    assert not set(train.ids) & set(query.ids)
    assert set(train.ids) | set(query.ids) == set(whole.ids)
    assert query.description.startswith(f"fine-grained, split {seed}: {len(train)} photographs")


@given(st.lists(st.integers(9, 14), min_size=1, max_size=5), st.integers(0, 50))
def test_fine_grained_with_counts_deals_them_of_each_class(named_set, sizes, seed):
    whole, splits = whole_and_splits(named_set, sizes, "fine-grained", seed, per_class=(4, 3, 2))
    for split, count in zip(splits, (4, 3, 2), strict=True):
        assert counts_of(split) == {f"class {c}": count for c in range(len(sizes))}
        classes = len(sizes)
        assert f"split {seed} of 4 train, 3 gallery and 2 query photographs a class" in (
            split.description
        )
        assert f"{4 * classes} photographs of {classes} classes to train" in split.description
        assert f"{2 * classes} queries against a gallery of {3 * classes}" in split.description
    dealt = np.concatenate([split.ids for split in splits])
    assert len(set(dealt)) == 9 * len(sizes)
    assert set(dealt) <= set(whole.ids)


@given(sizes_of_classes, st.sampled_from(["fine-grained", "zero-shot"]))
def test_splits_keep_labels_and_bytes_together(named_set, sizes, protocol):
    whole, splits = whole_and_splits(named_set, sizes, protocol)
    class_of = {
        photograph: whole.class_names[label]
        for photograph, label in zip(whole.ids, whole.labels, strict=True)
    }
    for split in splits:
        for i, (photograph, label) in enumerate(zip(split.ids, split.labels, strict=True)):
            assert split.class_names[label] == class_of[photograph]
            assert split.read(i) == photograph.encode()


def test_all_is_the_whole_set(named_set):
    whole = named_set([3, 4])
    for protocol in ("zero-shot", "fine-grained"):
        everything = split_set(whole, protocol, "all")
        assert everything.ids.tolist() == whole.ids.tolist()
        assert everything.labels.tolist() == whole.labels.tolist()
        assert everything.read(5) == whole.read(5)
        assert everything.description == "all 7 photographs of 2 classes; made up"


def test_fine_grained_splits_follow_the_seed(named_set):
    whole = named_set([20] * 4)
    for arguments in ({}, {"per_class": (10, 6, 4)}):
        trained = [
            tuple(split_set(whole, "fine-grained", "train", seed, **arguments).ids)
            for seed in (0, 0, 1, 2)
        ]
        assert trained[0] == trained[1]
        assert len(set(trained)) == 3


def test_fine_grained_splits_are_fair(named_set):
    whole = named_set([6] * 3)
    trained = [split_set(whole, "fine-grained", "train", seed).ids for seed in range(600)]
    _, counts = np.unique(np.concatenate(trained), return_counts=True)
    assert len(counts) == 18
    assert np.abs(counts / 600 - 0.5).max() < 4 * 0.5 / np.sqrt(600)


def test_zero_shot_does_not_depend_on_the_seed(named_set):
    whole = named_set([3] * 5)
    one, other = (split_set(whole, "zero-shot", "train", seed) for seed in (0, 1))
    assert one.ids.tolist() == other.ids.tolist()


def test_a_class_with_too_few_photographs_is_named(named_set):
    message = r"'class 1' has 7 photographs; this protocol deals 4 \+ 3 \+ 2"
    with pytest.raises(UserError, match=message) as refused:
        split_set(named_set([9, 7, 10]), "fine-grained", "query", per_class=(4, 3, 2))
    assert "\n" not in str(refused.value)


def test_a_photograph_that_a_class_lacks_is_one_query_less(named_set):
    whole = named_set([9, 8, 10])
    train, gallery, query = (
        split_set(whole, "fine-grained", split, per_class=(4, 3, 2))
        for split in ("train", "gallery", "query")
    )
    assert np.bincount(train.labels).tolist() == [4, 4, 4]
    assert np.bincount(gallery.labels).tolist() == [3, 3, 3]
    assert np.bincount(query.labels).tolist() == [2, 1, 2]


def test_zero_shot_needs_two_classes(named_set):
    with pytest.raises(UserError, match="2 classes or more"):
        split_set(named_set([9]), "zero-shot", "train")


@pytest.mark.parametrize("split", ["train", "all"])
def test_another_protocol_is_refused(named_set, split):
    message = "one of fine-grained, zero-shot, not 'zeroshot'"
    with pytest.raises(UserError, match=message):
        split_set(named_set([3, 3]), "zeroshot", split)
    with pytest.raises(UserError, match=message):
        hold_out_validation(named_set([3, 3]), "zeroshot")


def test_another_split_is_refused(named_set):
    with pytest.raises(UserError, match="train, validation, gallery, query, all, not 'test'"):
        split_set(named_set([3, 3]), "zero-shot", "test")


# ---- A dataset's own split ----


def own_set(named_set, sizes, own_split):
    return dataclasses.replace(named_set(sizes), own_split=own_split, description="")


def ids_by(whole, *roles):
    chosen = zip(whole.ids.tolist(), whole.own_split, strict=True)
    return [photograph for photograph, split in chosen if split in roles]


SHARED = ["train", "test", "test", "train", "test"]
DISJOINT = ["test", "test", "train", "train", "train"]
CATALOGUE = ["query", "gallery", "train", "train", "train"]


@pytest.mark.parametrize(
    ("own_split", "protocol", "words"),
    [
        (
            SHARED,
            "fine-grained",
            "fine-grained, the dataset's own split: 2 photographs of 2 classes to train, 3 of 2 to "
            "test, each of these a query against the rest",
        ),
        (
            DISJOINT,
            "zero-shot",
            "zero-shot, the dataset's own split: 1 classes (3 photographs) to train, 1 others (2) "
            "to test, each of these a query against the rest",
        ),
        (
            CATALOGUE,
            "zero-shot",
            "zero-shot, the dataset's own split: 1 classes (3 photographs) to train, 1 others (2) "
            "to test, 1 queries against a gallery of 1",
        ),
    ],
)
def test_an_own_split_is_kept_under_its_protocol(named_set, own_split, protocol, words):
    whole = own_set(named_set, [2, 3], own_split)
    for split, roles in (("train", ["train"]), ("gallery", ["gallery", "test"])):
        part = split_set(whole, protocol, split, seed=5)
        assert part.ids.tolist() == ids_by(whole, *roles)
        assert part.description == words
    query = split_set(whole, protocol, "query")
    assert query.ids.tolist() == ids_by(whole, "query", "test")
    assert query.description == words


def test_under_the_other_protocol_an_own_split_is_passed_over(named_set):
    shared = own_set(named_set, [2, 3], SHARED)
    assert split_set(shared, "zero-shot", "train").ids.tolist() == shared.ids[:2].tolist()
    assert "halves of the classes" in split_set(shared, "zero-shot", "query").description
    disjoint = own_set(named_set, [4, 6], [*4 * ["train"], *6 * ["test"]])
    dealt = [split_set(disjoint, "fine-grained", "train", seed) for seed in range(9)]
    assert all(counts_of(part) == {"class 0": 2, "class 1": 3} for part in dealt)
    assert len({tuple(part.ids) for part in dealt}) > 1


def test_a_split_that_is_empty_is_refused(named_set):
    whole = own_set(named_set, [2, 3], ["test"] * 5)
    assert len(split_set(whole, "zero-shot", "query")) == 5
    with pytest.raises(UserError, match=r"no train photograph .*own split") as refused:
        split_set(whole, "zero-shot", "train")
    assert "\n" not in str(refused.value)


# ---- Counts ----


@pytest.mark.parametrize("split", ["train", "gallery", "query"])
def test_counts_are_asserted_whichever_split_is_asked_for(named_set, split):
    whole = named_set([2, 3, 5, 1])
    right = ((2, 5), (2, 6))
    assert len(split_set(whole, "zero-shot", split, expected=right)) in (5, 6)
    message = (
        r"should have 2 classes \(1,000 photographs\) to train, 2 others \(6\) to test, but has "
        r"2 classes \(5 photographs\) to train, 2 others \(6\) to test"
    )
    with pytest.raises(UserError, match=message) as refused:
        split_set(whole, "zero-shot", split, expected=((2, 1000), (2, 6)))
    assert "\n" not in str(refused.value)
    for wrong in (((1, 5), (2, 6)), ((2, 5), (3, 6)), ((2, 5), (2, 7))):
        with pytest.raises(UserError, match="should have"):
            split_set(whole, "zero-shot", split, expected=wrong)


def test_counts_are_of_classes_that_have_photographs(named_set):
    whole = dataclasses.replace(named_set([2, 2, 3]), class_names=["a", "b", "c", "empty"])
    query = split_set(whole, "zero-shot", "query", expected=((1, 2), (2, 5)))
    assert names_of(query) == {"b", "c"}
