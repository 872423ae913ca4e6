"""Defines `CallGuard`, which every gRPC call passes before its service, and its `Gate`."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import StatusCode

from nfl_keras.serving.server.serving_error import ServingError, invalid

_log = logging.getLogger(__name__)


class Gate:
    """A number of places for simultaneous work, which refuses more work instead of queueing it.

    It calls `on_refusal` before it refuses.
    """

    def __init__(
        self, places: int, what: str, on_refusal: Callable[[], None] = lambda: None
    ) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._on_refusal = on_refusal
        self._refusal = f"{places} {what} are under way already; try again."

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            self._on_refusal()
            raise ServingError(StatusCode.RESOURCE_EXHAUSTED, self._refusal)

    def __exit__(self, *_: object) -> None:
        self._places.release()


class CallGuard(grpc.ServerInterceptor):
    """Bounds the number and the time of gRPC calls, and answers failures by their status code.

    gRPC gives a call a thread when its headers have come, and the thread waits for the message
    without limit. The guard therefore handles every method as one that takes a stream of
    messages: the handler starts before the first message, takes a place or is refused, and is
    cancelled if the message takes too long. On the wire there is no difference.

    Predict has a `Gate` of its own, so that a full server still reports its health. `seconds` is
    the longest time for a message to arrive, and for a stream to last.
    """

    def __init__(self, predictions: Gate, others: Gate, seconds: float) -> None:
        self._predictions = predictions
        self._others = others
        self._seconds = seconds
        self._watched: dict[grpc.ServicerContext, tuple[float, bool]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._cancel_late, name="nfl-calls", daemon=True)
        self._thread.start()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Replaces the handler of a method by one that is guarded."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        is_prediction = handler_call_details.method.endswith("/Predict")
        gate = self._predictions if is_prediction else self._others
        if handler.request_streaming or handler.response_streaming:
            return self._guard_stream(handler, gate)
        return self._guard_unary(handler, gate)

    def stop(self) -> None:
        """Cancels the streams, which may not end on their own, and ends the thread."""
        self._stopping.set()
        self._thread.join()
        for context, (_, is_stream) in list(self._watched.items()):
            if is_stream:
                context.cancel()

    def _guard_unary(self, handler: Any, gate: Gate) -> grpc.RpcMethodHandler:
        def behavior(requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            with _errors_as_codes(context), gate:
                with self._watch(context):
                    message = next(requests, None)
                return handler.unary_unary(_parse(handler, message), context)

        return grpc.stream_unary_rpc_method_handler(behavior, None, handler.response_serializer)

    def _guard_stream(self, handler: Any, gate: Gate) -> grpc.RpcMethodHandler:
        def behavior(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            watched = self._watch(context, is_stream=True)
            with _errors_as_codes(context), gate, watched:
                if handler.request_streaming:
                    messages = (_parse(handler, message) for message in requests)
                    yield from handler.stream_stream(messages, context)
                else:
                    yield from handler.unary_stream(_parse(handler, next(requests, None)), context)

        return grpc.stream_stream_rpc_method_handler(behavior, None, handler.response_serializer)

    @contextlib.contextmanager
    def _watch(self, context: grpc.ServicerContext, is_stream: bool = False) -> Iterator[None]:
        self._watched[context] = time.monotonic(), is_stream
        try:
            yield
        finally:
            del self._watched[context]

    def _cancel_late(self) -> None:
        while not self._stopping.wait(min(self._seconds / 4, 1.0)):
            late = time.monotonic() - self._seconds
            for context, (began, _) in list(self._watched.items()):
                if began <= late:
                    context.cancel()


def _parse(handler: Any, message: bytes | None) -> Any:
    if message is None:
        raise invalid("the call ended without a message")
    try:
        return handler.request_deserializer(message)
    except DecodeError as error:
        raise invalid("the message is malformed") from error


@contextlib.contextmanager
def _errors_as_codes(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except ServingError as error:
        context.abort(error.code, error.message)
    except NotImplementedError as error:
        context.abort(StatusCode.UNIMPLEMENTED, str(error))
    except grpc.RpcError:
        raise  # The call is over already: cancelled, or past its deadline.
    except Exception as error:
        _log.exception("a request failed")
        context.abort(StatusCode.INTERNAL, type(error).__name__)
