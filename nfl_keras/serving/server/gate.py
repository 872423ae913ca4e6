"""Defines `Gate`, a limit on work that is done at the same time."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from grpc import StatusCode

from nfl_keras.serving.server.serving_error import ServingError


class Gate:
    """A number of places for simultaneous work, which refuses more work instead of queueing it."""

    def __init__(
        self, places: int, what: str, on_refusal: Callable[[], None] = lambda: None
    ) -> None:
        self._what = f"{places} {what}"
        self._places = threading.BoundedSemaphore(places)
        self._on_refusal = on_refusal

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Holds a place in the `with` block; raises RESOURCE_EXHAUSTED if none is free."""
        if not self._places.acquire(blocking=False):
            self._on_refusal()
            message = f"{self._what} are under way already; try again."
            raise ServingError(StatusCode.RESOURCE_EXHAUSTED, message)
        try:
            yield
        finally:
            self._places.release()
