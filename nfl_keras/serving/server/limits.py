"""How much the server takes on, and how it says that this is reached."""

import contextlib
import dataclasses
import threading

from grpc import StatusCode

from nfl_keras.errors import UserError
from nfl_keras.serving.server.request_error import RequestError


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one request may ask for. Beyond it the answer is RESOURCE_EXHAUSTED or
    DEADLINE_EXCEEDED.

    Args:
        max_message_bytes: int. A gRPC message or a REST body, and the tensor it declares.
            Defaults to 64 MiB.
        max_request_rows: int. Images in one request. Defaults to 1024.
        max_concurrent_requests: int. Predictions under way at once. Defaults to 64.
        max_request_seconds: float. For a request to arrive, and again for its answer; a
            client's own shorter deadline wins. Defaults to 60.

    Example:

    >>> nfl.serving.Server("models", limits=Limits(max_concurrent_requests=16))
    """

    max_message_bytes: int = 64 * 2**20
    max_request_rows: int = 1024
    max_concurrent_requests: int = 64
    max_request_seconds: float = 60.0

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if value <= 0:
                raise UserError(f"{name} must be above 0, not {value}.")


class Gate:
    """Lets so many in at once and refuses the others at once, so that none wait in threads.

    Args:
        places: int.
        what: str. What is counted, for the message.
        on_refusal: Optional function without arguments, called for each one refused.
    """

    def __init__(self, places, what, on_refusal=None):
        self._what = f"{places} {what}"
        self._places = threading.BoundedSemaphore(places)
        self._on_refusal = on_refusal

    @contextlib.contextmanager
    def entered(self):
        """Around the work of one; a `RequestError` of RESOURCE_EXHAUSTED where it is full."""
        if not self._places.acquire(blocking=False):
            if self._on_refusal:
                self._on_refusal()
            raise RequestError(
                StatusCode.RESOURCE_EXHAUSTED, f"{self._what} are under way already; try again."
            )
        try:
            yield
        finally:
            self._places.release()
