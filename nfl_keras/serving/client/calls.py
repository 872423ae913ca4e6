"""Defines a channel to a server, and calls over it that are repeated and end together.

gRPC's own retries, by service config, are not used: they end after 5 attempts, leave out requests
above 256 KiB (a few photographs), and send a message that is too large for the server again and
again, since its status code is that of a busy server.
"""

import dataclasses
import math
import pathlib
import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from nfl_keras.errors import UserError
from nfl_keras.typing import Path

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # By default one second, in which every attempt would fail with the first one's refusal.
    ("grpc.initial_reconnect_backoff_ms", 100),
)
_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_TOO_LARGE = "larger than max"  # words of gRPC's C core, which Python uses, and of Go's gRPC
_LONGEST_PAUSE, _LONGEST_DETAILS = 10.0, 300  # seconds, characters
_CLOCK = 0.05  # seconds by which gRPC's clock and ours may differ


def open_channel(
    address: str, tls: bool, server_name: str | None, pem_files: Sequence[Path | None]
) -> grpc.Channel:
    """Opens a channel that connects with its first request. The PEM files are as in `Client`."""
    certificate_authority, certificate, key = pem_files
    if ":" not in address or address.startswith(("http:", "https:")):
        raise UserError(
            f"a server's address is HOST:PORT, such as 'localhost:8500', not {address!r}."
        )
    if (certificate is None) != (key is None):
        raise UserError("certificate and key go together: give both or neither.")
    if not (tls or certificate_authority or certificate):
        if server_name is not None:
            raise UserError("server_name is checked by TLS only: give tls=True, too.")
        return grpc.insecure_channel(address, _OPTIONS)
    # gRPC accepts any bytes, and only its log says why the first request fails.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if certificate_authority is not None:
            named = f"the certificate authority {str(certificate_authority)!r}"
            context.load_verify_locations(certificate_authority)
        if certificate is not None:
            named = f"the certificate {str(certificate)!r} with the key {str(key)!r}"
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        fault = "used" if isinstance(error, ssl.SSLError) else "read"
        raise UserError(f"{named} cannot be {fault} ({error.strerror}); give PEM files.") from error
    files = certificate_authority, key, certificate
    contents = [None if path is None else pathlib.Path(path).read_bytes() for path in files]
    credentials = grpc.ssl_channel_credentials(*contents)
    checked = () if server_name is None else (("grpc.ssl_target_name_override", server_name),)
    return grpc.secure_channel(address, credentials, _OPTIONS + checked)


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


def _call_error(refusal: grpc.RpcError) -> CallError:
    code, details = refusal.code(), refusal.details()
    too_large = code == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in (details or "")
    return (MessageTooLargeError if too_large else CallError)(code, details)
