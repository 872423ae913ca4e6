import io
import itertools
import re
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras import progress as module
from nfl_keras.progress import Progress, clock_time


class Clock:
    now = 100.0

    def perf_counter(self):
        return self.now


class Terminal(io.StringIO):
    """A terminal of 60 columns, of which `rows` are what a person sees."""

    def isatty(self):
        return True

    @property
    def rows(self):
        rows, column = [""], 0
        for part in re.findall(r"\r|\n|\x1b\[K|[^\r\n\x1b]+", self.getvalue()):
            if part == "\n":
                rows.append("")
                column = 0
            elif part == "\r":
                column = 0
            elif part == "\x1b[K":
                rows[-1] = rows[-1][:column]
            else:
                rows[-1] = rows[-1][:column] + part + rows[-1][column + len(part) :]
                column = len(part)
        return rows


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def log(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(module, "sys", types.SimpleNamespace(stderr=log))
    return log


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(module, "sys", types.SimpleNamespace(stderr=terminal))
    monkeypatch.setenv("COLUMNS", "60")
    return terminal


def work(clock, progress, seconds, count=10):
    """Does `count` items in each of some times."""
    with progress:
        for duration in seconds:
            clock.now += duration
            progress.add(count)


# ---- a log file ----


def test_a_log_file_gets_a_line_every_half_minute(clock, log):
    work(clock, Progress(2000, "photographs embedded"), [1.0] * 100)
    assert log.getvalue().splitlines() == [
        "300 of 2,000 photographs embedded | 10/s, 2:50 left",
        "600 of 2,000 photographs embedded | 10/s, 2:20 left",
        "900 of 2,000 photographs embedded | 10/s, 1:50 left",
    ]


def test_speed_and_time_left_leave_out_the_first_batch(clock, log):
    work(clock, Progress(100, "rows"), [300.0, 40.0, 20.0])
    assert log.getvalue().splitlines() == [
        "10 of 100 rows",
        "20 of 100 rows | 0.2/s, 5:20 left",
    ]


def test_what_was_done_before_does_not_count_as_speed(clock, log):
    work(clock, Progress(3000, "rows", done=2000), [1.0] * 31)
    assert log.getvalue() == "2,300 of 3,000 rows | 10/s, 1:10 left\n"


def test_an_unknown_total_leaves_no_time(clock, log):
    work(clock, Progress(None, "images embedded"), [20.0] * 3)
    assert log.getvalue() == "20 images embedded | 0.5/s\n"


@given(st.lists(st.integers(0, 100), max_size=50))
def test_no_two_lines_are_closer_than_half_a_minute(seconds):
    clock, log = Clock(), io.StringIO()
    times = [clock.now]

    class Watched(io.StringIO):
        def write(self, text):
            times.extend([clock.now] * text.count("\n"))
            return log.write(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock)
        patch.setattr(module, "sys", types.SimpleNamespace(stderr=Watched()))
        work(clock, Progress(10 * len(seconds), "rows"), seconds)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(gap >= 30.0 for gap in gaps)
    # A line comes with the first batch that ends after it is due, and not with the last.
    longest = max(seconds, default=0)
    assert all(gap <= 30.0 + longest for gap in gaps)
    assert f"{10 * len(seconds):,} of" not in log.getvalue()


# ---- a terminal ----


def test_a_terminal_shows_a_bar_after_three_seconds(clock, terminal):
    with Progress(100, "rows") as progress:
        clock.now += 2.9
        progress.add(10)
        assert terminal.getvalue() == ""
        clock.now += 0.5
        progress.add(30)
        assert terminal.rows == ["[########------------] 40 of 100 rows | 60/s, 0:01 left"]
        clock.now += 0.05
        progress.add(10)
        assert terminal.rows[0].split()[1] == "40"
        clock.now += 0.45
        progress.add(10)
        assert terminal.rows == ["[############--------] 60 of 100 rows | 50/s, 0:01 left"]
        clock.now += 0.05
        progress.add(40)
    assert terminal.rows == [""]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("50", "[##---] 20 of 40 rows embedded | 1.0/s, 0:20 left"),
        ("40", "20 of 40 rows embedded | 1.0/s, 0:20 le"),
    ],
)
def test_a_narrow_terminal_keeps_the_words(columns, row, clock, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    progress = Progress(40, "rows embedded")
    for _ in range(2):
        clock.now += 10.0
        progress.add(10)
    (shown,) = terminal.rows
    assert shown == row


def test_an_unknown_total_has_no_bar(clock, terminal):
    with Progress(None, "images embedded") as progress:
        for _ in range(2):
            clock.now += 5.0
            progress.add(10)
        assert terminal.rows == ["20 images embedded | 2.0/s"]
    assert terminal.rows == [""]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_follows_an_error_begins_a_new_line(error, clock, terminal):
    def batches():
        yield from [5.0, 5.0]
        raise error

    with pytest.raises(error):
        work(clock, Progress(100, "rows"), batches())
    print("error: it failed", file=terminal)
    assert terminal.rows == [
        "[####----------------] 20 of 100 rows | 2.0/s, 0:40 left",
        "error: it failed",
        "",
    ]


# ---- both ----


@pytest.mark.parametrize("stream", ["log", "terminal"])
@pytest.mark.parametrize(
    ("seconds", "show"),
    [([0.7] * 4, True), ([100.0], True), ([], True), ([20.0] * 10, False)],
    ids=["quick", "one batch", "nothing to do", "silenced"],
)
def test_nothing_is_shown(stream, seconds, show, clock, request):
    stream = request.getfixturevalue(stream)
    work(clock, Progress(10 * len(seconds), "rows", show), seconds)
    assert stream.getvalue() == ""


def test_a_quick_failure_shows_nothing(clock, terminal):
    with pytest.raises(ValueError, match="quick"), Progress(100, "rows"):
        raise ValueError("quick")
    assert terminal.getvalue() == ""


def test_batches_pass_and_are_counted():
    progress = Progress(5, "rows")
    passed = []
    for batch in progress.counted(iter(["ab", "cd", "e"])):
        assert progress.done == sum(map(len, passed))
        passed.append(batch)
    assert passed == ["ab", "cd", "e"]
    assert progress.done == 5


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_durations(seconds, text):
    assert clock_time(seconds) == text
