"""Defines what a run does when it receives SIGTERM, such as on a machine that is preempted."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType

from nfl_keras.typing import Path


class Termination:
    """A context in which SIGTERM ends the run with exit code 0 and says how to resume it.

    Within `postponed` the signal only sets `requested`. The code there saves its work and calls
    `exit`. A signal that it does not answer ends the run at the end of `postponed`.

    Signals reach the main thread alone. In another thread this context changes nothing.

    Args:
        run: str or path of the run's folder.

    Attributes:
        requested: bool, whether SIGTERM has arrived.

    Example:

    >>> from nfl_keras.training.termination import Termination
    >>> with Termination("runs/roses") as termination, termination.postponed():
    ...     for step in range(3):
    ...         if termination.requested:
    ...             termination.exit()
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.requested = False
        self._postponed = False

    def __enter__(self) -> "Termination":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
        if self.requested and kind is SystemExit:
            line = f"stopped; resume with: python -m nfl_keras.train --resume {self.run}"
            print(line, flush=True)

    @contextlib.contextmanager
    def postponed(self) -> Iterator[None]:
        """Returns a context within which SIGTERM does not end the run at once."""
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False
        if self.requested:
            self.exit()

    def exit(self) -> None:
        """Ends the run with exit code 0."""
        sys.exit(0)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self._postponed:
            self.exit()
