"""The groups by themselves, and the batches of `BalancedSampler` that they give."""

import collections

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nfl_keras.data.batches.balanced_sampler import BalancedSampler
from nfl_keras.data.batches.category_groups import category_groups


@st.composite
def small_catalogs(draw):
    """Labels, the super-category of each class, and the size of a batch."""
    sizes = draw(st.lists(st.integers(2, 9), min_size=1, max_size=12))
    categories = [draw(st.sampled_from("abcd")) for _ in sizes]
    labels = np.random.default_rng(draw(st.integers(0, 9))).permutation(
        np.repeat(np.arange(len(sizes)), sizes)
    )
    return labels, categories, draw(st.integers(1, len(sizes))), draw(st.integers(0, 99))


@given(small_catalogs(), st.integers(0, 1000))
def test_a_batch_has_one_super_category_if_that_makes_one(drawn, number):
    labels, categories, num_classes, seed = drawn
    sampler = BalancedSampler(labels, num_classes, 2, seed, categories=categories)
    plan = sampler.epoch(number)
    size_of = collections.Counter(categories)
    large = {category for category, size in size_of.items() if size >= num_classes}
    batches_of = collections.Counter()
    for batch in plan:
        pairs = labels[batch].reshape(num_classes, 2)
        assert (pairs[:, 0] == pairs[:, 1]).all()
        assert len(set(pairs[:, 0].tolist())) == num_classes
        assert len(set(batch.tolist())) == 2 * num_classes
        met = {categories[label] for label in pairs[:, 0]}
        assert len(met & large) <= 1
        assert len(met) == 1 or met - large
        batches_of[frozenset(met)] += 1
    if large == size_of.keys():
        for category in large:
            photographs = sum(categories[label] == category for label in labels)
            assert batches_of[frozenset([category])] == photographs // (2 * num_classes)


@given(small_catalogs())
def test_every_class_is_in_one_group_that_makes_batches(drawn):
    labels, categories, num_classes, _ = drawn
    deals = np.minimum(np.bincount(labels), 3)
    assume(deals.sum() >= 3 * num_classes)
    groups = category_groups(categories, deals, num_classes, 3 * num_classes)
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(categories)))
    for group in groups:
        assert len(group) >= num_classes
        assert deals[group].sum() >= 3 * num_classes
    for category in set(categories):
        members = {i for i, of in enumerate(categories) if of == category}
        assert sum(bool(members & set(group.tolist())) for group in groups) == 1


def test_small_super_categories_are_joined_from_the_smallest_on():
    categories = ["lamp", "sofa", "sofa", "rug", "rug", "chair", "chair", "chair"]
    groups = category_groups(categories, np.full(8, 2), 3, 6)
    assert [[categories[i] for i in group] for group in groups] == [
        ["lamp", "rug", "rug"],
        ["sofa", "sofa", "chair", "chair", "chair"],
    ]
    last = category_groups(["a", "a", "b", "b", "c", "c"], np.full(6, 2), 3, 6)
    assert [group.tolist() for group in last] == [[0, 1, 2, 3, 4, 5]]
    assert [g.tolist() for g in category_groups(["a", "b"], np.array([2, 2]), 3, 6)] == [[0, 1]]


@given(small_catalogs(), st.integers(0, 1000))
def test_one_super_category_changes_nothing(drawn, number):
    labels, categories, num_classes, seed = drawn
    plain, one = (
        BalancedSampler(labels, num_classes, 2, seed, categories=same)
        for same in (None, ["all"] * len(categories))
    )
    assert np.array_equal(plain.epoch(number), one.epoch(number))


@given(small_catalogs(), st.integers(0, 1000), st.data())
def test_a_plan_resumes_anywhere(drawn, number, data):
    labels, categories, num_classes, seed = drawn
    first, again = (
        BalancedSampler(labels, num_classes, 2, seed, categories=categories) for _ in range(2)
    )
    plan = first.epoch(number)
    batch = data.draw(st.integers(0, len(plan)))
    again.epoch(number + 1)
    assert np.array_equal(plan[batch:], again.epoch(number)[batch:])


def test_super_categories_take_turns_by_chance():
    # Of two with two batches each, every order of the four is as likely.
    labels = np.repeat(np.arange(4), 4)
    sampler = BalancedSampler(labels, 2, 2, categories=["a", "b", "a", "b"])
    orders = collections.Counter(
        tuple((labels[sampler.epoch(number)[:, 0]] % 2).tolist()) for number in range(1200)
    )
    assert len(orders) == 6
    assert all(abs(count - 200) < 5 * np.sqrt(200) for count in orders.values())


def test_an_epoch_comes_near_to_seeing_each_photograph_once():
    sizes = [6, 8, 16, 12, 8, 14, 6, 16, 20, 10] * 3
    labels = np.repeat(np.arange(30), sizes)
    sampler = BalancedSampler(labels, 4, 2, categories=[str(c % 3) for c in range(30)])
    seen = np.mean([len(np.unique(sampler.epoch(number))) for number in range(20)])
    assert 0.95 * len(labels) <= seen <= len(labels)


@pytest.mark.filterwarnings("ignore:of 4 classes 1 have")
def test_labels_of_dropped_classes_and_others_name_their_own_super_category():
    labels = [5, 5, 2, 7, 7, 9, 9]
    categories = ["none"] * 5 + ["a", "none", "b", "none", "a"]
    sampler = BalancedSampler(labels, 2, 2, small_classes="drop", categories=categories)
    batches = {frozenset(batch) for number in range(9) for batch in sampler.epoch(number).tolist()}
    assert all(len(batch) == 4 for batch in batches)
    sampler = BalancedSampler(labels, 1, 2, small_classes="drop", categories=categories)
    assert {tuple(sorted(batch)) for batch in sampler.epoch(0).tolist()} <= {(0, 1), (3, 4), (5, 6)}
    assert len(sampler.epoch(0)) == 3
