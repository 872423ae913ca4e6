"""Defines `Gate`, a limit on work that is done at the same time."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from grpc import StatusCode

from nfl_keras.serving.server.serving_error import ServingError


class Gate:
    """A number of places for simultaneous work, which refuses more work instead of queueing it.

    Args:
        places: int.
        what: str. What takes the places, for the message.
        on_refusal: Optional function without arguments, called at each refusal.
    """

    def __init__(
        self, places: int, what: str, on_refusal: Callable[[], None] | None = None
    ) -> None:
        self._what = f"{places} {what}"
        self._places = threading.BoundedSemaphore(places)
        self._on_refusal = on_refusal

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Holds a place in the `with` block; raises RESOURCE_EXHAUSTED if none is free."""
        if not self._places.acquire(blocking=False):
            if self._on_refusal:
                self._on_refusal()
            raise ServingError(
                StatusCode.RESOURCE_EXHAUSTED, f"{self._what} are under way already; try again."
            )
        try:
            yield
        finally:
            self._places.release()
