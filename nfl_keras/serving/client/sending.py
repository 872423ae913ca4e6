"""One request sent until it is answered: attempts, deadlines, and an end for all at once.

The retries of gRPC itself, by service config, are not used: they end after 5 attempts, leave out
every request above 256 KiB (a few photographs) unless a buffer is enlarged, and would send a
message that is too large for the server again and again, since its code is that of a busy one.
"""

import random
import threading
import time

import grpc

_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_TOO_LARGE = "larger than max"  # so say gRPC's C core, which TF Serving and Python use, and Go
_LONGEST_PAUSE = 10.0
_LONGEST_DETAILS = 300
_CLOCK = 0.05  # seconds that gRPC's clock and ours may differ by


class RequestError(Exception):
    """A request without an answer.

    Args:
        code: `grpc.StatusCode`.
        details: str, what the server or gRPC says.
    """

    def __init__(self, code, details):
        self.code = code
        self.details = " ".join((details or "no details").split())[:_LONGEST_DETAILS]
        super().__init__(f"{code.name}: {self.details}")


class RequestTooLargeError(RequestError):
    """A request of more bytes than the server takes; smaller ones may pass."""


class Calls:
    """The requests of one call of the client, from any number of threads.

    Once one of them has failed for good, no other is sent, and they fail as it did: what keeps
    a server from answering one batch keeps it from answering the next.

    Args:
        attempts: int, how often a request is sent at most while the server is unavailable or
            busy.
        backoff: float, seconds before the second attempt; twice as many before each further
            one, 10 at most. Chance takes up to half of it away, so that clients that failed
            together do not come back together.
        timeout: float, seconds that a request may take, all attempts together.
        deadline: float, seconds that all requests together may take. Defaults to `None`.
    """

    def __init__(self, attempts, backoff, timeout, deadline=None):
        self.attempts = attempts
        self.backoff = backoff
        self.timeout = timeout
        self.deadline = deadline
        self.failure = None
        self._end = None if deadline is None else time.monotonic() + deadline
        self._live = set()
        self._lock = threading.Lock()
        self._over = threading.Event()

    def send(self, method, request):
        """Sends a request until it is answered.

        Args:
            method: method of a gRPC stub.
            request: its message.

        Returns:
            The answer's message.

        Raises:
            RequestTooLargeError: if the server does not take that many bytes.
            RequestError: if this request, or one before it, failed for good.
        """
        end, seconds = time.monotonic() + self.timeout, self.timeout
        if self._end is not None and self._end < end:
            end, seconds = self._end, self.deadline
        late = RequestError(
            grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer within {seconds:g} seconds"
        )
        error, pause = late, self.backoff
        for attempt in range(1, self.attempts + 1):
            left = end - time.monotonic()
            if self.failure or left <= 0:
                break
            try:
                return self._answer(method, request, left)
            except grpc.RpcError as refusal:
                error = _explained(refusal)
            if isinstance(error, RequestTooLargeError):
                raise error
            left = end - time.monotonic()
            if error.code == grpc.StatusCode.DEADLINE_EXCEEDED and left < _CLOCK:
                error = late
            jittered = min(pause, _LONGEST_PAUSE) * random.uniform(0.5, 1)
            if error.code not in _RETRIED or attempt == self.attempts or jittered >= left:
                break
            self._over.wait(jittered)
            pause *= 2
        raise self.give_up(error)

    def give_up(self, error):
        """Lets every request from now on fail by this error, or by an earlier one.

        Args:
            error: `RequestError`.

        Returns:
            The `RequestError` that counts.
        """
        with self._lock:
            self.failure = self.failure or error
            self._over.set()
            return self.failure

    def cancel(self):
        """Ends every request at once, whatever it waits for."""
        self.give_up(RequestError(grpc.StatusCode.CANCELLED, "cancelled by the client"))
        with self._lock:
            live = list(self._live)
        for call in live:
            call.cancel()

    def _answer(self, method, request, seconds):
        call = method.future(request, timeout=seconds)
        with self._lock:
            self._live.add(call)
        try:
            if self._over.is_set():
                call.cancel()
            return call.result()
        except grpc.FutureCancelledError as error:
            raise call from error
        finally:
            with self._lock:
                self._live.discard(call)


def _explained(refusal):
    code, details = refusal.code(), refusal.details()
    too_large = code == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in (details or "")
    return (RequestTooLargeError if too_large else RequestError)(code, details)
