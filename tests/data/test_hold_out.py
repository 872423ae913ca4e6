import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.hold_out import hold_out_classes, hold_out_pairs, hold_out_validation
from nfl_keras.data.split_set import split_set
from nfl_keras.errors import UserError

sizes_of_classes = st.lists(st.integers(2, 12), min_size=2, max_size=7)


def names_of(image_set):
    return {image_set.class_names[label] for label in image_set.labels}


def counts_of(image_set):
    counts = np.bincount(image_set.labels)
    return {image_set.class_names[label]: int(counts[label]) for label in image_set.classes}


@given(st.lists(st.integers(1, 6), min_size=2, max_size=8), st.integers(0, 50), st.data())
def test_so_many_classes_are_held_out(named_set, sizes, seed, data):
    count = data.draw(st.integers(1, len(sizes) - 1))
    whole = named_set(sizes, interleaved=True)
    train, validation = hold_out_classes(whole, count, seed)
    assert len(names_of(validation)) == count
    assert not names_of(train) & names_of(validation)
    assert names_of(train) | names_of(validation) == names_of(whole)
    assert sorted([*train.ids, *validation.ids]) == sorted(whole.ids)
    assert validation.description == (
        f"zero-shot, validation: {count} of {len(sizes)} training classes held out "
        f"({len(validation)} photographs), each a query against the rest; training split of made up"
    )


@pytest.mark.parametrize(("count", "what"), [(0, "validate"), (-1, "validate"), (3, "train")])
def test_classes_are_left_on_both_sides(named_set, count, what):
    with pytest.raises(UserError, match=f"{count} of 3 .* nothing to {what} on") as refused:
        hold_out_classes(named_set([2, 2, 2]), count)
    assert "\n" not in str(refused.value)


def test_a_share_of_the_classes_is_so_many_classes(named_set):
    whole = named_set([3] * 8)
    by_share, by_count = hold_out_validation(whole, "zero-shot", 7), hold_out_classes(whole, 2, 7)
    for one, other in zip(by_share, by_count, strict=True):
        assert one.ids.tolist() == other.ids.tolist()


@given(sizes_of_classes, st.integers(0, 50), st.sampled_from([0.2, 0.25, 0.5]))
def test_zero_shot_validation_holds_out_classes(named_set, sizes, seed, share):
    whole = named_set(sizes, interleaved=True)
    train, validation = hold_out_validation(whole, "zero-shot", seed, share)
    held = len(names_of(validation))
    assert held == max(1, round(share * len(sizes)))
    assert len(names_of(train)) == len(sizes) - held > 0
    assert not names_of(train) & names_of(validation)
    assert set(train.ids) | set(validation.ids) == set(whole.ids)
    assert len(train) + len(validation) == len(whole)
    assert f"{held} of {len(sizes)} training classes" in validation.description
    assert train.description == "made up"


@given(
    st.lists(st.integers(3, 16), min_size=1, max_size=6),
    st.integers(0, 50),
    st.sampled_from([0.25, 0.5]),
)
def test_fine_grained_validation_holds_out_a_share_of_each_class(named_set, sizes, seed, share):
    whole = named_set(sizes, interleaved=True)
    train, validation = hold_out_validation(whole, "fine-grained", seed, share)
    held = counts_of(validation)
    for c, size in enumerate(sizes):
        assert abs(held[f"class {c}"] - share * size) <= 0.5
    assert names_of(train) == names_of(validation) == names_of(whole)
    assert not set(train.ids) & set(validation.ids)
    assert set(train.ids) | set(validation.ids) == set(whole.ids)
    assert f"{share:.0%} of each class" in validation.description


@pytest.mark.parametrize("protocol", ["zero-shot", "fine-grained"])
def test_validation_follows_the_seed(named_set, protocol):
    whole = named_set([12] * 8)
    held = [tuple(hold_out_validation(whole, protocol, seed)[1].ids) for seed in (0, 0, 1, 2, 3)]
    assert held[0] == held[1]
    assert len(set(held)) == 4


def test_validation_is_not_the_split_it_is_taken_from(named_set):
    # With one seed for both, the same draw twice would hold out those dealt first.
    whole = named_set([40] * 5)
    train = split_set(whole, "fine-grained", "train", seed=3)
    _, validation = hold_out_validation(train, "fine-grained", seed=3)
    first = split_set(whole, "fine-grained", "train", seed=3, per_class=(5, 5, 5))
    assert set(validation.ids) != set(first.ids)


@pytest.mark.parametrize(
    ("sizes", "protocol", "share", "message"),
    [
        ([5], "zero-shot", 0.25, "1 of 1 training classes would leave nothing to train on"),
        ([5, 5], "zero-shot", 0.9, "2 of 2 training classes would leave nothing to train on"),
        ([2, 2, 1], "fine-grained", 0.25, "25% .* would leave nothing to validate on"),
        ([4, 4], "fine-grained", 1.0, "100% .* would leave nothing to train on"),
    ],
)
def test_validation_is_never_empty_on_either_side(named_set, sizes, protocol, share, message):
    with pytest.raises(UserError, match=message) as refused:
        hold_out_validation(named_set(sizes), protocol, share=share)
    assert "\n" not in str(refused.value)


@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=30),
    st.integers(1, 6),
    st.sampled_from([0.02, 0.05, 0.2]),
    st.integers(0, 50),
)
def test_pairs_are_held_out_of_classes_that_are_large_enough(named_set, sizes, keep, share, seed):
    whole = named_set(sizes, interleaved=True)
    large = [size for size in sizes if size - 2 >= keep]
    if len(large) < 2:
        with pytest.raises(UserError, match=rf"of {keep + 2} or more, .* there are {len(large)}; "):
            hold_out_pairs(whole, keep, share, seed)
        return
    train, validation = hold_out_pairs(whole, keep, share, seed)
    held = counts_of(validation)
    assert set(held.values()) == {2}
    assert all(counts_of(train)[name] >= keep for name in held)
    assert names_of(train) == names_of(whole)
    assert sorted([*train.ids, *validation.ids]) == sorted(whole.ids)
    if len(validation) > 4:
        assert len(validation) <= share * len(whole)
    if len(held) < len(large):
        assert len(validation) + 2 > share * len(whole)
    assert validation.description == (
        f"fine-grained, validation: 2 photographs of each of {len(held)} classes held out "
        f"({len(validation)} photographs), each a query against the rest; training split of made up"
    )


def test_pairs_are_drawn_by_the_seed(named_set):
    whole = named_set([8] * 12)
    drawn = [tuple(hold_out_pairs(whole, seed=seed)[1].ids) for seed in (0, 0, *range(1, 5))]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 5
