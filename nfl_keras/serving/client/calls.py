"""Defines calls to a server that are repeated and end together.

gRPC's own retries, by service config, are not used: they end after 5 attempts, leave out requests
above 256 KiB (a few photographs), and send a message that is too large for the server again and
again, since its status code is that of a busy server.
"""

import dataclasses
import math
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc

_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_TOO_LARGE = "larger than max"  # words of gRPC's C core, which Python uses, and of Go's gRPC
_LONGEST_PAUSE, _LONGEST_DETAILS = 10.0, 300  # seconds, characters
_CLOCK = 0.05  # seconds by which gRPC's clock and ours may differ
_under_way: list[int] = []  # of each call the process that sent it, which a fork copies


class CallError(Exception):
    """A call without an answer: a status code, and what the server or gRPC says of it."""

    def __init__(self, code: grpc.StatusCode, details: str | None) -> None:
        self.code = code
        self.details = " ".join((details or "no details").split())[:_LONGEST_DETAILS]
        super().__init__(f"{code.name}: {self.details}")


class MessageTooLargeError(CallError):
    """A message of more bytes than the server accepts. Smaller ones may pass."""


@dataclasses.dataclass
class Calls:
    """Calls that end together, from any number of threads.

    Once a call has failed for good, the others fail with the same error and no more are sent: what
    keeps a server from answering one batch keeps it from answering the next. The arguments are as
    in `Client`, and `deadline` is the seconds that all calls together may take. No pause is longer
    than 10 seconds, and its random share keeps clients from retrying in step.
    """

    attempts: int
    backoff: float
    timeout: float
    deadline: float = math.inf

    def __post_init__(self) -> None:
        self.failure: CallError | None = None
        self._end = time.monotonic() + self.deadline
        self._live: set[grpc.Future] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()

    def send(self, method: Callable, request: Any) -> Any:
        """Sends a request by the method of a gRPC stub until it is answered.

        Raises:
            MessageTooLargeError: if the server does not accept that many bytes.
            CallError: if this call, or one before it, failed for good.
        """
        own = time.monotonic() + self.timeout, self.timeout
        end, seconds = min(own, (self._end, self.deadline))
        late = CallError(grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer within {seconds:g} seconds")
        error, pause = late, self.backoff
        for attempt in range(1, self.attempts + 1):
            left = end - time.monotonic()
            if self.failure or left <= 0:
                break
            try:
                return self._answer(method, request, left)
            except grpc.RpcError as refusal:
                error = _call_error(refusal)
            if isinstance(error, MessageTooLargeError):
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

    def give_up(self, error: CallError) -> CallError:
        """Makes every further call fail, and returns the error of the first failure."""
        with self._lock:
            self.failure = self.failure or error
            self._over.set()
            return self.failure

    def cancel(self) -> None:
        """Ends every call at once."""
        self.give_up(CallError(grpc.StatusCode.CANCELLED, "cancelled by the client"))
        with self._lock:
            live = list(self._live)
        for call in live:
            call.cancel()

    def _answer(self, method, request, seconds):
        process = os.getpid()
        _under_way.append(process)
        try:
            return self._result(method.future(request, timeout=seconds))
        finally:
            _under_way.remove(process)

    def _result(self, call):
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


def forked_amid_calls() -> bool:
    """Tells whether calls were under way when this process was forked from its parent."""
    return any(process != os.getpid() for process in _under_way)


def _call_error(refusal: grpc.RpcError) -> CallError:
    code, details = refusal.code(), refusal.details()
    too_large = code == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in (details or "")
    return (MessageTooLargeError if too_large else CallError)(code, details)
