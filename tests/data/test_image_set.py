import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError


def image_set(labels, num_classes=None, own_split=None):
    num_classes = max(labels, default=-1) + 1 if num_classes is None else num_classes
    return ImageSet(
        ids=[f"photograph {i}" for i in range(len(labels))],
        labels=labels,
        class_names=[f"class {c}" for c in range(num_classes)],
        read=lambda i: b"bytes of %d" % i,
        description="whole",
        own_split=own_split,
    )


@st.composite
def sets_and_positions(draw):
    labels = draw(st.lists(st.integers(0, 6), min_size=1, max_size=25))
    positions = st.lists(st.integers(0, len(labels) - 1), unique=True)
    return labels, draw(positions)


@given(sets_and_positions(), st.randoms(use_true_random=False))
def test_nested_subsets_keep_ids_bytes_and_class_names(drawn, random):
    labels, first = drawn
    second = random.sample(range(len(first)), random.randint(0, len(first)))
    whole = image_set(labels, num_classes=8)
    part = whole.subset(first).subset(second, description="part")

    originals = [first[position] for position in second]
    assert len(part) == len(originals)
    assert part.ids.tolist() == [f"photograph {i}" for i in originals]
    assert [part.read(j) for j in range(len(part))] == [b"bytes of %d" % i for i in originals]
    named = [part.class_names[label] for label in part.labels]
    assert named == [f"class {labels[i]}" for i in originals]
    kept = sorted({labels[i] for i in originals})
    assert part.class_names == whole.class_names
    assert part.labels.tolist() == [labels[i] for i in originals]
    assert part.labels.dtype == part.classes.dtype == np.int32
    assert part.classes.tolist() == kept
    assert part.num_classes == len(kept)
    assert repr(part) == f"ImageSet({len(originals)} photographs of {len(kept)} classes)"
    assert (whole.subset(first).description, part.description) == ("whole", "part")


def test_subsets_keep_categories():
    read = [b"a", b"b", b"c"].__getitem__
    whole = ImageSet(["a", "b", "c"], [0, 1, 1], ["lamp 1", "sofa 2"], read, categories=["l", "s"])
    assert whole.subset([2]).categories == whole.categories == ("l", "s")
    assert dataclasses.replace(whole, description="x").categories == ("l", "s")
    assert image_set([0]).categories is None
    with pytest.raises(UserError, match="one entry per class name, 2, not 1"):
        ImageSet(["a"], [0], ["lamp 1", "sofa 2"], read, categories=["l"])


def test_the_whole_set_is_unchanged_by_its_subsets():
    whole = image_set([2, 0, 2])
    whole.subset([2])
    assert whole.labels.tolist() == [2, 0, 2]
    assert whole.class_names == ("class 0", "class 1", "class 2")


def test_a_subset_does_not_follow_the_indices_it_was_made_from():
    indices = np.array([2, 0])
    part = image_set([0, 0, 1]).subset(indices)
    indices[:] = 1
    assert part.read(0) == b"bytes of 2"


def test_length_names_and_representation():
    whole = image_set([0] * 1234 + [1])
    assert len(whole) == 1235
    assert repr(whole) == "ImageSet(1,235 photographs of 2 classes)"
    assert whole.labels.dtype == np.int32
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole.labels = [0]


def test_classes_without_photographs_are_allowed():
    whole = image_set([3, 0], num_classes=5)
    assert whole.class_names[4] == "class 4"
    assert (whole.classes.tolist(), whole.num_classes) == ([0, 3], 2)
    assert len(image_set([], num_classes=0)) == 0


def test_sets_are_told_apart_by_identity():
    one, other = image_set([0, 1]), image_set([0, 1])
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_a_subset_keeps_its_part_of_the_own_split():
    whole = image_set([0, 0, 1, 1], own_split=["train", "test", "gallery", "query"])
    assert whole.subset([3, 0]).subset([1, 0]).own_split.tolist() == ["train", "query"]
    assert image_set([0, 1]).subset([1]).own_split is None


@given(sets_and_positions())
def test_a_mask_keeps_what_it_marks(drawn):
    labels, positions = drawn
    mask = np.zeros(len(labels), bool)
    mask[positions] = True
    part = image_set(labels).subset(mask)
    assert part.ids.tolist() == [f"photograph {i}" for i in range(len(labels)) if mask[i]]
    assert image_set(labels).subset(mask.tolist()).ids.tolist() == part.ids.tolist()


def test_positions_may_count_from_the_end():
    part = image_set([0, 1, 2]).subset([-1, 0])
    assert part.ids.tolist() == ["photograph 2", "photograph 0"]
    assert part.read(0) == b"bytes of 2"


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([True, False], r"bool mask of shape \(3,\), not bool of shape \(2,\)"),
        ([0.0, 1.0], "float64"),
        ([[0, 1]], r"\(1, 2\)"),
        (1, r"of shape \(\)"),
        ([0, 3], "0 to 3, but there are 3"),
        ([-4], "-4 to -4, but there are 3"),
    ],
)
def test_indices_that_choose_nothing_sensible_are_refused(indices, message):
    with pytest.raises(UserError, match=message) as refused:
        image_set([0, 1, 2]).subset(indices)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("own_split", "message"),
    [
        (["train"], r"shape \(2,\), not \(1,\)"),
        (["train", "val"], "train, validation, test, gallery, query, not 'val'"),
    ],
)
def test_own_splits_that_do_not_fit_are_refused(own_split, message):
    with pytest.raises(UserError, match=message) as refused:
        image_set([0, 1], own_split=own_split)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("ids", "labels", "message"),
    [
        (["a", "b", "a"], [0, 0, 1], "'a'"),
        (["a", "b"], [0, 1, 1], r"\(2,\).*\(3,\)"),
        ([["a"], ["b"]], [[0], [1]], r"\(2, 1\)"),
        (["a", "b"], [0, 2], "0 to 2.*2 class names"),
        (["a", "b"], [-1, 1], "-1 to 1.*2 class names"),
        (["a", "b"], [0.0, 1.0], "integers, not float64"),
        (["a", "b"], ["0", "1"], "integers"),
    ],
)
def test_sets_that_do_not_fit_together_are_refused(ids, labels, message):
    with pytest.raises(UserError, match=message) as refused:
        ImageSet(ids, labels, ["x", "y"], lambda i: b"")
    assert "\n" not in str(refused.value)
