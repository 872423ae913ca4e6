import collections
import itertools
import time
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nfl_keras.data.batches.balanced_sampler import BalancedSampler
from nfl_keras.errors import UserError


def shuffled_labels(sizes, seed=0):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).permutation(labels)


def product_labels(num_photographs):
    """As many classes as Stanford Online Products, each of two photographs or more."""
    sizes = np.full(22_634, 2)
    more = np.random.default_rng(0).integers(0, len(sizes), num_photographs - sizes.sum())
    np.add.at(sizes, more, 1)
    return shuffled_labels(sizes).astype(np.int32)


def assert_as_likely(counts, probabilities):
    """The chi-squared statistic is within four standard deviations of its expectation."""
    expected = np.asarray(probabilities) * np.sum(counts)
    freedom = len(expected) - 1
    statistic = (np.square(np.asarray(counts) - expected) / expected).sum()
    assert statistic < freedom + 4 * np.sqrt(2 * freedom)


@st.composite
def samplers(draw, smallest=None, categories=None, **policy):
    per_class = draw(st.integers(1, 4))
    sizes = draw(st.lists(st.integers(smallest or per_class, 15), min_size=1, max_size=7))
    classes = draw(st.integers(1, len(sizes)))
    assume(np.minimum(sizes, per_class).sum() >= classes * per_class)
    labels = shuffled_labels(sizes, draw(st.integers(0, 9)))
    seed = draw(st.integers(0, 99))
    policy["categories"] = None if categories is None else draw(categories)
    return labels, BalancedSampler(labels, classes, per_class, seed=seed, **policy)


def filling_samplers(**policy):
    return samplers(smallest=1, small_classes="fill", **policy)


# For seven classes, more than any sampler above has.
CATEGORIES = st.lists(st.sampled_from("abc"), min_size=7, max_size=7)


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


@given(filling_samplers(), st.integers(0, 1000))
def test_classes_that_are_too_small_give_all_they_have_and_others_fill_up(drawn, number):
    labels, sampler = drawn
    plan = sampler.epoch(number)
    k, k1 = sampler.classes_per_batch, sampler.images_per_class
    assert plan.shape == (len(labels) // (k * k1) or 1, k * k1)
    sizes = np.bincount(labels)
    for batch in plan.tolist():
        assert len(set(batch)) == k * k1
        groups = [(c, len(list(g))) for c, g in itertools.groupby(labels[batch].tolist())]
        assert len({c for c, _ in groups}) == len(groups) >= k
        (last, given_by_last), others = groups[-1], groups[:-1]
        assert all(count == min(sizes[c], k1) for c, count in others)
        assert given_by_last <= min(sizes[last], k1)


@given(
    st.one_of(samplers(), filling_samplers(), filling_samplers(categories=CATEGORIES)),
    st.integers(0, 1000),
)
def test_a_class_deals_all_its_photographs_before_one_of_them_again(drawn, number):
    labels, sampler = drawn
    dealt = sampler.epoch(number).ravel()
    for c in set(labels.tolist()):
        members = np.flatnonzero(labels == c)
        of_class = dealt[labels[dealt] == c]
        for start in range(0, len(of_class), len(members)):
            round_ = of_class[start : start + len(members)].tolist()
            assert len(set(round_)) == len(round_)
            assert set(round_) <= set(members.tolist())


@given(st.one_of(samplers(), filling_samplers()), st.integers(0, 1000), st.data())
def test_a_plan_resumes_anywhere_from_seed_epoch_and_batch(drawn, number, data):
    labels, sampler = drawn
    plan = sampler.epoch(number)
    first_batch = data.draw(st.integers(0, len(plan)))
    again = BalancedSampler(
        labels,
        sampler.classes_per_batch,
        sampler.images_per_class,
        seed=sampler.seed,
        small_classes="fill",
    )
    again.epoch(number + 1)
    assert np.array_equal(plan[first_batch:], again.epoch(number)[first_batch:])


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


def test_a_remainder_is_dealt_first_and_comes_last_in_the_next_round():
    sampler = BalancedSampler([0] * 5 + [1] * 25, 2, 3)
    for number in range(50):
        small = [batch[batch < 5] for batch in sampler.epoch(number)]
        first, second = set(small[0].tolist()), small[1].tolist()
        assert set(second[:2]) == set(range(5)) - first
        assert second[2] in first
        assert {second[2], *small[2][:2].tolist()} == first


def test_every_order_of_a_class_is_as_likely_in_every_round():
    # Four batches deal the class of three in pairs: ab cx | yz ..., where c comes last in xyz.
    sampler = BalancedSampler([0] * 3 + [1] * 13, 2, 2)
    firsts, seconds = collections.Counter(), collections.Counter()
    for number in range(3000):
        dealt = [position for position in sampler.epoch(number).ravel().tolist() if position < 3]
        firsts[tuple(dealt[:3])] += 1
        seconds[tuple(dealt[3:6])] += 1
        assert dealt[5] == dealt[2]
    for counter in (firsts, seconds):
        orders = list(itertools.permutations(range(3)))
        assert_as_likely([counter[order] for order in orders], np.full(6, 1 / 6))


def test_classes_are_drawn_by_what_they_still_have_to_deal():
    # One class a batch: each order of the hands 0, 0, 1, 2 is as likely, as in shuffled cards.
    sampler = BalancedSampler([0] * 4 + [1] * 2 + [2] * 2, 1, 2)
    orders = sorted(set(itertools.permutations([0, 0, 1, 2])))
    label = np.array([0] * 4 + [1] * 2 + [2] * 2)
    found = collections.Counter(
        tuple(label[sampler.epoch(number)[:, 0]].tolist()) for number in range(3000)
    )
    assert_as_likely([found[order] for order in orders], np.full(12, 1 / 12))


def test_the_classes_of_a_batch_are_drawn_one_after_another_without_replacement():
    sizes = np.array([4, 2, 6, 8])
    sampler = BalancedSampler(np.repeat(np.arange(4), sizes), 2, 2)
    label = np.repeat(np.arange(4), sizes)
    found = collections.Counter(
        tuple(label[sampler.epoch(number)[0, ::2]].tolist()) for number in range(3000)
    )
    pairs = list(itertools.permutations(range(4), 2))
    weights = sizes / sizes.sum()
    expected = [weights[i] * weights[j] / (1 - weights[i]) for i, j in pairs]
    assert_as_likely([found[pair] for pair in pairs], expected)


def test_classes_that_are_used_up_are_drawn_evenly():
    # The small classes' six hands are dealt within ten batches, the large one's never.
    label = np.repeat(np.arange(4), [188, 4, 4, 4])
    sampler = BalancedSampler(label, 2, 2)
    late = label[[sampler.epoch(number)[10:, ::2] for number in range(40)]]
    counts = np.bincount(late.ravel())
    assert counts[0] == 40 * 40
    assert_as_likely(counts[1:], np.full(3, 1 / 3))


def test_small_classes_are_drawn_as_often_as_large_ones():
    # Two to twelve photographs, all given at once: the order of the classes is a plain shuffle.
    sizes = np.array([2, 12, 3, 5, 8])
    sampler = BalancedSampler(np.repeat(np.arange(5), sizes), 1, 12, small_classes="fill")
    label = np.repeat(np.arange(5), sizes)
    firsts = np.bincount([label[sampler.epoch(number)[0, 0]] for number in range(3000)])
    assert_as_likely(firsts, np.full(5, 1 / 5))


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


@pytest.mark.parametrize("num_photographs", [60_502, 120_053])
def test_a_plan_for_stanford_online_products_is_quick(num_photographs):
    labels = product_labels(num_photographs)
    before = time.process_time()
    plan = BalancedSampler(labels, 32, 2).epoch(0)
    assert time.process_time() - before < 2
    assert plan.shape == (num_photographs // 64, 64)


def test_a_plan_for_stanford_online_products_takes_a_third_of_its_indexs_memory():
    labels = product_labels(120_053)
    index_bytes = labels.nbytes + labels.size * np.dtype("U32").itemsize
    tracemalloc.start()
    plan = BalancedSampler(labels, 20, 12, small_classes="fill").epoch(0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert plan.shape == (500, 240)
    assert plan.nbytes < peak < index_bytes / 3


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


@given(samplers(), st.integers(0, 1000))
def test_without_small_classes_filling_changes_nothing(drawn, number):
    labels, sampler = drawn
    filling = BalancedSampler(
        labels,
        sampler.classes_per_batch,
        sampler.images_per_class,
        sampler.seed,
        small_classes="fill",
    )
    assert np.array_equal(filling.epoch(number), sampler.epoch(number))


def test_classes_of_one_photograph_are_kept_where_batches_are_filled():
    sampler = BalancedSampler([0, 1, 2, 3, 3, 3, 4], 3, 2, small_classes="fill")
    for number in range(20):
        (batch,) = sampler.epoch(number).tolist()
        assert {0, 1, 2, 6} < set(batch)


def test_filling_needs_photographs_enough_for_a_batch():
    message = "needs 3 x 4 photographs, but the classes give only 9, at most images_per_class = 4"
    with pytest.raises(UserError, match=message) as refused:
        BalancedSampler([0] * 9 + [1] * 3 + [2, 2], 3, 4, small_classes="fill")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("classes", "per_class"), [(0, 2), (2, 0), (-1, 2)])
def test_empty_batches_are_refused(classes, per_class):
    with pytest.raises(UserError, match="must be 1 or more"):
        BalancedSampler([0, 0, 1, 1], classes, per_class)


def test_another_policy_is_refused():
    with pytest.raises(UserError, match="'error', 'drop' or 'fill', not 'keep'"):
        BalancedSampler([0, 0, 1, 1], 2, 2, small_classes="keep")
