"""What a run does when it is told to end, as a machine that is preempted tells it."""

import contextlib
import signal
import sys
import threading


class Termination:
    """Around a run: SIGTERM ends it with exit code 0 and a line that says how to go on.

    Within `deferred` it is only noted, for who works there to obey by `leave` where nothing is
    lost. Elsewhere, and at the end of `deferred`, it is obeyed at once. In a thread other than
    the main one, which gets no signals, nothing changes.

    Args:
        run: str or path, the folder of the run to go on with.

    Example:

    >>> with Termination("runs/photographs") as termination, termination.deferred():
    ...     for batch in batches:
    ...         step(batch)
    ...         if termination.asked:
    ...             save()
    ...             termination.leave()
    """

    def __init__(self, run):
        self.run = run
        self.asked = False
        self._deferred = False

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, kind, value, traceback):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
        if self.asked and kind is SystemExit:
            line = f"stopped; go on with: python -m nfl_keras.train --resume {self.run}"
            print(line, flush=True)

    @contextlib.contextmanager
    def deferred(self):
        """Around work that is to be ended by `leave`."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.asked:
            self.leave()

    def leave(self):
        """Ends the run."""
        sys.exit(0)

    def _note(self, number, frame):
        self.asked = True
        if not self._deferred:
            self.leave()
