"""What every gRPC call passes before its service: places, time to arrive, and errors as codes."""

import contextlib
import logging
import threading
import time

import grpc
from google.protobuf.message import DecodeError
from grpc import StatusCode

from nfl_keras.serving.server.request_error import RequestError

_log = logging.getLogger(__name__)


class CallGuard(grpc.ServerInterceptor):
    """Keeps callers from holding the server's threads, and answers each failure by its code.

    gRPC gives a call a thread when its headers have come, and lets it wait there for its message
    without end. Every method is therefore handled as one that takes a stream of messages: its
    handler starts before the first has come, takes a place or is refused, and is cancelled if it
    waits too long. On the wire there is no difference.

    Args:
        heavy: `Gate` for Predict.
        light: `Gate` for everything else, so that a full server still says that it is healthy.
        seconds: float. How long a message may take to arrive, and a stream to last.
    """

    def __init__(self, heavy, light, seconds):
        self._heavy = heavy
        self._light = light
        self._watch = _Watch(seconds)

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        gate = self._heavy if handler_call_details.method.endswith("/Predict") else self._light
        if handler.request_streaming or handler.response_streaming:
            return self._stream(handler, gate)
        return self._unary(handler, gate)

    def stop(self):
        """Ends the calls that stay open on their own, and the watch over them."""
        self._watch.stop()

    def _unary(self, handler, gate):
        def behavior(requests, context):
            with _answered_by_code(context), gate.entered():
                request = _parsed(handler, self._message(requests, context))
                return handler.unary_unary(request, context)

        return grpc.stream_unary_rpc_method_handler(
            behavior, response_serializer=handler.response_serializer
        )

    def _message(self, requests, context):
        with self._watch.over(context):
            return next(requests, None)

    def _stream(self, handler, gate):
        def behavior(requests, context):
            with _answered_by_code(context), gate.entered(), self._watch.over(context, stream=True):
                if handler.request_streaming:
                    messages = (_parsed(handler, message) for message in requests)
                    yield from handler.stream_stream(messages, context)
                else:
                    message = _parsed(handler, next(requests, None))
                    yield from handler.unary_stream(message, context)

        return grpc.stream_stream_rpc_method_handler(
            behavior, response_serializer=handler.response_serializer
        )


def _parsed(handler, message):
    if message is None:
        raise RequestError(StatusCode.INVALID_ARGUMENT, "the call ended without a message")
    try:
        return handler.request_deserializer(message)
    except DecodeError as error:
        raise RequestError(StatusCode.INVALID_ARGUMENT, "the message is malformed") from error


@contextlib.contextmanager
def _answered_by_code(context):
    try:
        yield
    except RequestError as error:
        context.abort(error.code, error.message)
    except NotImplementedError as error:
        context.abort(StatusCode.UNIMPLEMENTED, str(error))
    except grpc.RpcError:
        # The call is over already: cancelled, or past its deadline.
        raise
    except Exception as error:
        _log.exception("a request failed")
        context.abort(StatusCode.INTERNAL, type(error).__name__)


class _Watch:
    """Cancels calls that last too long: one thread looks at all of them from time to time."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._open = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="nfl-calls", daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def over(self, context, stream=False):
        """Around the part of a call that is watched."""
        key = object()
        with self._lock:
            self._open[key] = (context, time.monotonic(), stream)
        try:
            yield
        finally:
            with self._lock:
                del self._open[key]

    def stop(self):
        """Cancels the streams, which may not end on their own."""
        self._stopping.set()
        self._thread.join()
        self._cancel(lambda began, stream: stream)

    def _look(self):
        while not self._stopping.wait(min(self._seconds / 4, 1.0)):
            start = time.monotonic() - self._seconds
            self._cancel(lambda began, stream, start=start: began <= start)

    def _cancel(self, which):
        with self._lock:
            found = [context for context, *of in self._open.values() if which(*of)]
        for context in found:
            context.cancel()
