"""The merging of jobs, on functions that need no model."""

import collections
import threading
import time

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.serving.server.batcher import Batcher
from nfl_keras.serving.server.settings import Batching


class Doubling:
    """Runs that double their input, noted; the first can be held until `free` is set."""

    def __init__(self, held=False):
        self.sizes = []
        self.begun = threading.Event()
        self.free = threading.Event()
        if not held:
            self.free.set()

    def __call__(self, arrays):
        self.sizes.append(len(arrays["x"]))
        self.begun.set()
        assert self.free.wait(10)
        if np.any(arrays["x"] == 13):
            raise ValueError("thirteen\nand more")
        return {"y": 2 * arrays["x"]}


@pytest.fixture
def batcher():
    """Function that makes a running `Batcher`, stopped at the end."""
    made = []

    def make(*arguments, **options):
        made.append(Batcher(Batching(*arguments, **options) if arguments else None))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()


def _submit(batcher, run, *values, key="key"):
    return batcher.submit(key, run, {"x": np.array(values, "float32")}, len(values))


def _hold(batcher, run):
    first = _submit(batcher, run, 1)
    assert run.begun.wait(10)
    return first


def test_what_waits_is_run_as_one(batcher):
    run = Doubling(held=True)
    one = batcher(8, 0, 1)
    first = _hold(one, run)
    others = [_submit(one, run, 2, 3), _submit(one, run, 4), _submit(one, run, 5, 6, 7)]
    run.free.set()
    assert [list(f.result(10)["y"]) for f in others] == [[4, 6], [8], [10, 12, 14]]
    assert list(first.result(10)["y"]) == [2]
    assert run.sizes == [1, 6]


def test_a_batch_is_never_larger_than_asked_for(batcher):
    run = Doubling(held=True)
    one = batcher(4, 0, 1)
    _hold(one, run)
    others = [_submit(one, run, 1, 2), _submit(one, run, 3, 4, 5), _submit(one, run, 6)]
    run.free.set()
    assert [len(f.result(10)["y"]) for f in others] == [2, 3, 1]
    assert run.sizes == [1, 2, 4]


def test_a_larger_request_is_run_in_slices(batcher):
    run = Doubling()
    values = list(range(11))
    assert list(_submit(batcher(4, 0, 1), run, *values).result(10)["y"]) == [2 * v for v in values]
    assert run.sizes == [4, 4, 3]


def test_who_is_alone_does_not_wait(batcher):
    run = Doubling()
    one = batcher(8, 10_000_000, 1)
    for value in range(5):
        assert _submit(one, run, value).result(5)["y"][0] == 2 * value
    assert run.sizes == [1] * 5


def test_those_who_were_answered_are_waited_for_no_longer_than_asked_for(batcher):
    run = Doubling()
    one = batcher(8, 1_000_000, 1)
    _submit(one, run, 1, 2, 3).result(10)
    start = time.monotonic()
    waiting = [_submit(one, run, 1), _submit(one, run, 2, 3)]
    assert [list(f.result(10)["y"]) for f in waiting] == [[2], [4, 6]]
    assert time.monotonic() - start < 1
    start = time.monotonic()
    _submit(one, run, 1).result(10)
    assert 1 <= time.monotonic() - start < 10
    assert run.sizes == [3, 3, 1]


def test_those_who_are_as_many_as_the_last_do_not_wait(batcher):
    run = Doubling(held=True)
    one = batcher(8, 10_000_000, 1)
    first = _hold(one, run)
    second = _submit(one, run, 2)
    run.free.set()
    assert [f.result(5)["y"][0] for f in (first, second)] == [2, 4]
    assert run.sizes == [1, 1]


def test_nobody_waits_for_those_who_ask_for_something_else(batcher):
    run = Doubling()
    one = batcher(8, 10_000_000, 1)
    _submit(one, run, 1, 2, 3).result(10)
    assert _submit(one, run, 4, key="another").result(5)["y"][0] == 8


def test_a_full_batch_does_not_wait(batcher):
    run = Doubling()
    one = batcher(4, 10_000_000, 1)
    _submit(one, run, *range(9)).result(10)
    waiting = [_submit(one, run, 1, 2), _submit(one, run, 3, 4)]
    assert [len(f.result(5)["y"]) for f in waiting] == [2, 2]


def test_only_what_is_alike_is_merged(batcher):
    run = Doubling(held=True)
    one = batcher(8, 0, 1)
    _hold(one, run)
    futures = [
        _submit(one, run, 1),
        _submit(one, run, 2, key="another"),
        _submit(one, run, 3, key=None),
        _submit(one, run, 4, key=None),
        one.submit("key", run, {"x": np.ones((1, 2))}, 1),
        _submit(one, run, 5),
    ]
    run.free.set()
    assert all(f.result(10) for f in futures)
    assert collections.Counter(run.sizes) == {1: 5, 2: 1}


def test_without_batching_each_request_is_run_alone_and_whole(batcher):
    run = Doubling(held=True)
    one = batcher()
    futures = [_submit(one, run, *[1] * size) for size in (1, 2, 100, 3)]
    run.free.set()
    assert [len(f.result(10)["y"]) for f in futures] == [1, 2, 100, 3]
    assert sorted(run.sizes) == [1, 2, 3, 100]


def test_a_failure_is_only_its_own_request_s(batcher):
    run = Doubling(held=True)
    one = batcher(8, 0, 1)
    _hold(one, run)
    good, bad, fine = _submit(one, run, 1), _submit(one, run, 2, 13), _submit(one, run, 3)
    run.free.set()
    assert list(good.result(10)["y"]) == [2]
    assert list(fine.result(10)["y"]) == [6]
    with pytest.raises(ValueError, match=r"^thirteen\n"):
        bad.result(10)
    assert run.sizes == [1, 4, 1, 2, 1]


def test_outputs_without_a_row_per_input_are_not_handed_out_merged(batcher):
    held = Doubling(held=True)
    one = batcher(8, 0, 1)
    _hold(one, held)
    total = [
        one.submit("sum", lambda a: {"y": a["x"].sum(keepdims=True)}, {"x": np.array([v])}, 1)
        for v in (3, 4)
    ]
    held.free.set()
    assert [future.result(10)["y"][0] for future in total] == [3, 4]


def test_a_cancelled_job_is_left_out(batcher):
    run = Doubling(held=True)
    one = batcher(8, 0, 1)
    _hold(one, run)
    left_out, kept = _submit(one, run, 1), _submit(one, run, 2)
    assert left_out.cancel()
    run.free.set()
    assert list(kept.result(10)["y"]) == [4]
    assert run.sizes == [1, 1]


def test_what_is_queued_is_run_before_it_stops():
    run = Doubling(held=True)
    one = Batcher(Batching(4, 10_000_000, 2))
    one.start()
    futures = [_submit(one, run, value) for value in range(3)]
    run.free.set()
    one.stop()
    assert [f.result(0)["y"][0] for f in futures] == [0, 2, 4]


@pytest.mark.parametrize(
    "wrong", [{"max_batch_size": 0}, {"batch_timeout_micros": -1}, {"num_batch_threads": 0}]
)
def test_parameters_are_checked(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        Batching(**wrong)
