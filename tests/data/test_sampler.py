import time
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nfl_keras.data.sampler import BalancedSampler
from nfl_keras.errors import UserError


def shuffled_labels(sizes, seed=0):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).permutation(labels)


@st.composite
def samplers(draw):
    per_class = draw(st.integers(1, 4))
    sizes = draw(st.lists(st.integers(per_class, 15), min_size=1, max_size=7))
    classes = draw(st.integers(1, len(sizes)))
    labels = shuffled_labels(sizes, draw(st.integers(0, 9)))
    return labels, BalancedSampler(labels, classes, per_class, seed=draw(st.integers(0, 99)))


@given(samplers(), st.integers(0, 1000))
def test_batches_hold_distinct_photographs_of_distinct_classes(drawn, number):
    labels, sampler = drawn
    plan = sampler.epoch(number)
    k, k1 = sampler.classes_per_batch, sampler.images_per_class
    assert plan.shape == (len(labels) // (k * k1) or 1, k * k1)
    assert plan.dtype == np.int64
    assert len(plan) == sampler.batches_per_epoch
    for batch in plan.tolist():
        groups = [batch[i * k1 : (i + 1) * k1] for i in range(k)]
        classes = [{int(labels[position]) for position in group} for group in groups]
        assert all(len(c) == 1 for c in classes)
        assert len(set.union(*classes)) == k
        assert len(set(batch)) == k * k1


@given(samplers(), st.integers(0, 1000))
def test_a_class_is_dealt_without_replacement_until_too_few_are_left(drawn, number):
    labels, sampler = drawn
    dealt = sampler.epoch(number).ravel()
    for c in set(labels.tolist()):
        of_class = [position for position in dealt.tolist() if labels[position] == c]
        size = int((labels == c).sum())
        full_round = size - size % sampler.images_per_class
        for start in range(0, len(of_class), full_round):
            hand = of_class[start : start + full_round]
            assert len(set(hand)) == len(hand)


@given(samplers(), st.integers(0, 1000))
def test_a_plan_depends_on_seed_and_epoch_alone(drawn, number):
    labels, sampler = drawn
    again = BalancedSampler(
        labels, sampler.classes_per_batch, sampler.images_per_class, seed=sampler.seed
    )
    again.epoch(number + 1)
    assert np.array_equal(sampler.epoch(number), again.epoch(number))


def test_epochs_and_seeds_differ():
    labels = shuffled_labels([10] * 6)
    plans = [BalancedSampler(labels, 3, 2, seed).epoch(e) for seed in range(4) for e in range(4)]
    assert len({plan.tobytes() for plan in plans}) == 16


@pytest.mark.parametrize(
    ("sizes", "classes", "per_class"),
    [
        ([40] * 17, 8, 8),  # Flowers-17 in its own protocol
        ([8] * 16, 4, 4),
        ([3, 50, 100, 7, 20] * 4, 4, 3),
        ([12] * 9 + [60], 5, 2),
        ([2] * 200 + [4] * 100 + [20] * 10, 32, 2),
    ],
)
def test_an_epoch_comes_near_to_seeing_each_photograph_once(sizes, classes, per_class):
    sampler = BalancedSampler(shuffled_labels(sizes), classes, per_class)
    plans = [sampler.epoch(number) for number in range(20)]
    num_batches = sum(sizes) // (classes * per_class)
    # A class can be in every batch, but not twice in one.
    reachable = sum(min(size, num_batches * per_class) for size in sizes)
    reachable = min(reachable, num_batches * classes * per_class)
    seen = np.mean([len(np.unique(plan)) for plan in plans])
    assert 0.95 * reachable <= seen <= reachable


def test_no_photograph_is_favoured():
    # Five photographs, dealt in pairs: each epoch leaves one of a class out, and over many
    # epochs each of them as often as the others.
    labels = shuffled_labels([5] * 4)
    sampler = BalancedSampler(labels, 2, 2)
    counts = np.bincount(np.concatenate([sampler.epoch(e).ravel() for e in range(2000)]))
    assert counts.sum() == 2000 * 5 * 4
    assert np.abs(counts / 2000 - 1).max() < 0.05


def test_a_class_that_is_dealt_again_is_shuffled_again():
    # Eleven batches hold the class of four eleven times, in five and a half rounds.
    sampler = BalancedSampler([0] * 4 + [1] * 40, 2, 2)
    plan = sampler.epoch(0)
    assert len(plan) == 11
    small = plan[plan < 4].reshape(11, 2)
    pairs = [frozenset(pair) for pair in small[::2].tolist()]
    assert len(set(pairs)) > 2


def test_every_pair_of_classes_meets():
    sampler = BalancedSampler(np.repeat(np.arange(5), 4), 2, 2)
    met = {
        tuple(sorted(batch[::2] // 4)) for number in range(50) for batch in sampler.epoch(number)
    }
    assert len(met) == 10


def test_labels_need_not_be_contiguous():
    labels = np.array([7, 7, 900, 900, -3, -3])
    (batch,) = BalancedSampler(labels, 3, 2).epoch(0)
    assert sorted(batch) == list(range(6))


def test_a_plan_for_stanford_online_products_takes_seconds():
    # As many photographs and classes as the dataset, each class of two or more.
    sizes = np.full(22_634, 2)
    np.add.at(sizes, np.random.default_rng(0).integers(0, len(sizes), 60_502 - sizes.sum()), 1)
    before = time.process_time()
    sampler = BalancedSampler(np.repeat(np.arange(len(sizes)), sizes), 32, 2)
    plan = sampler.epoch(0)
    assert time.process_time() - before < 5
    assert plan.shape == (945, 64)


def test_too_few_classes_are_refused():
    message = "classes_per_batch = 4 classes, but there are 3 to train on"
    with pytest.raises(UserError, match=message) as refused:
        BalancedSampler([0, 0, 1, 1, 2, 2], 4, 2)
    assert "\n" not in str(refused.value)


def test_small_classes_are_refused_by_name():
    labels = [0] * 4 + [1] * 3 + [2] * 4 + [3] * 1
    names = ["rose", "tulip", "lily", "iris"]
    with pytest.raises(UserError, match=r"images_per_class = 4.*\(tulip, iris\)") as refused:
        BalancedSampler(labels, 2, 4, class_names=names)
    assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match=r"\(1, 3\)"):
        BalancedSampler(labels, 2, 4)


def test_of_many_small_classes_five_are_named():
    with pytest.raises(UserError, match=r"of 9 classes 9 .*\(0, 1, 2, 3, 4 and 4 more\)"):
        BalancedSampler(np.repeat(np.arange(9), 2), 2, 3)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 4), st.integers(1, 4))
def test_small_classes_can_be_dropped(sizes, classes, per_class):
    large = [c for c, size in enumerate(sizes) if size >= per_class]
    assume(len(large) >= classes)
    labels = shuffled_labels(sizes)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sampler = BalancedSampler(labels, classes, per_class, small_classes="drop")
    num_small = len(sizes) - len(large)
    assert len(caught) == (num_small > 0)
    if num_small:
        assert f"of {len(sizes)} classes {num_small} have" in str(caught[0].message)
    plan = sampler.epoch(0)
    assert set(labels[plan].ravel().tolist()) <= set(large)
    assert len(plan) == sum(sizes[c] for c in large) // (classes * per_class)


def test_dropped_classes_are_named():
    with pytest.warns(UserWarning, match=r"\(tulip\) and are left out"):
        BalancedSampler([0, 0, 1], 1, 2, class_names=["rose", "tulip"], small_classes="drop")


@pytest.mark.filterwarnings("ignore:of 2 classes 1 have")
def test_dropping_may_leave_too_few_classes():
    with pytest.raises(UserError, match="there are 1 to train on"):
        BalancedSampler([0, 0, 0, 1, 1], 2, 3, small_classes="drop")


@pytest.mark.parametrize(("classes", "per_class"), [(0, 2), (2, 0), (-1, 2)])
def test_empty_batches_are_refused(classes, per_class):
    with pytest.raises(UserError, match="must be 1 or more"):
        BalancedSampler([0, 0, 1, 1], classes, per_class)


def test_another_policy_is_refused():
    with pytest.raises(UserError, match="'error' or 'drop', not 'keep'"):
        BalancedSampler([0, 0, 1, 1], 2, 2, small_classes="keep")
