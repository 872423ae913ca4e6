"""Defines how work that takes long shows what is done and the time left."""

import math
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import Self, TypeVar

# Seconds of work before a terminal shows a bar, between two updates of it, and between two lines
# of a log file.
_QUIET = 3.0
_REFRESH = 0.1
_EVERY = 30.0
_BAR = 20

Batch = TypeVar("Batch", bound=Sized)


class Progress:
    """A context that shows how much of some work is done, its speed and the time left.

    It writes to stderr, since stdout is for answers. If that is a terminal, a bar appears after
    three seconds and is removed at the end. If not, as in a log file or a notebook, a line is
    written every half minute. After an error the bar stays, and what follows it begins a new line.

    Speed and time left do not count the first batch, in which functions are traced. Before the
    second batch neither is known, and neither is shown.

    Args:
        total: int, how many there are to do, or `None` if that is not known.
        what: str, what is counted, and what is done with it, such as `"photographs embedded"`.
        show: bool, whether to show anything at all. Defaults to `True`.
        done: int, how many of them earlier work has done. Defaults to `0`.

    Attributes:
        done: int, how many are done.

    Example:

    >>> from nfl_keras.progress import Progress
    >>> with Progress(10_000, "photographs embedded") as progress:
    ...     for batch in range(100):
    ...         progress.add(100)
    >>> progress.done
    10000
    """

    def __init__(self, total: int | None, what: str, show: bool = True, done: int = 0) -> None:
        self.done = done
        self._total, self._what = total, what
        self._on_terminal = sys.stderr.isatty()
        self._has_bar = False
        self._after_first_batch: tuple[int, float] | None = None
        self._due = math.inf
        if show:
            self._due = time.perf_counter() + (_QUIET if self._on_terminal else _EVERY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._has_bar:
            print("\r\x1b[K" if kind is None else "\n", end="", file=sys.stderr, flush=True)

    def add(self, count: int) -> None:
        """Counts what has been done since the last call, and shows it when it is time to."""
        self.done += count
        now = time.perf_counter()
        if now >= self._due and self.done != self._total:
            text = self._text(now)
            if self._on_terminal:
                print(f"\r{self._with_bar(text)}\x1b[K", end="", file=sys.stderr, flush=True)
                self._has_bar = True
            else:
                print(text, file=sys.stderr, flush=True)
            self._due = now + (_REFRESH if self._on_terminal else _EVERY)
        if self._after_first_batch is None:
            self._after_first_batch = self.done, now

    def counted(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yields batches, and counts the items of each when the next is asked for."""
        for batch in batches:
            yield batch
            self.add(len(batch))

    def _text(self, now: float) -> str:
        of_total = "" if self._total is None else f" of {self._total:,}"
        text = f"{self.done:,}{of_total} {self._what}"
        if self._after_first_batch is None:
            return text
        done, since = self._after_first_batch
        speed = (self.done - done) / max(now - since, 1e-9)
        text += f" | {speed:,.{0 if speed >= 10 else 1}f}/s"
        if self._total is None or not speed:
            return text
        return f"{text}, {clock_time((self._total - self.done) / speed)} left"

    def _with_bar(self, text: str) -> str:
        """Puts a bar before a text, as wide as the terminal has room for."""
        columns = shutil.get_terminal_size().columns - 1
        width = min(_BAR, columns - len(text) - len("[] "))
        if self._total is None or width < 1:
            return text[:columns]
        filled = width * self.done // self._total
        return f"[{'#' * filled}{'-' * (width - filled)}] {text}"


def clock_time(duration: float) -> str:
    """Writes a duration in seconds as a clock does.

    Example:

    >>> from nfl_keras.progress import clock_time
    >>> clock_time(75), clock_time(3675)
    ('1:15', '1:01:15')
    """
    minutes, seconds = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
