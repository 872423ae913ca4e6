"""One HTTP connection: its requests read within limits, and each answered or refused."""

import contextlib
import http.server
import logging
import socket
import time

from grpc import StatusCode

from nfl_keras.serving.server.request_error import RequestError
from nfl_keras.serving.server.rest_routes import HTTP_CODES, error_body

_log = logging.getLogger(__name__)
_LINGER_SECONDS = 2.0
_PIECE = 2**16


class RestHandler(http.server.BaseHTTPRequestHandler):
    """Reads requests from a connection of a `RestListener` and answers them by its routes."""

    protocol_version = "HTTP/1.1"
    server_version = "nfl_keras"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def handle_expect_100(self):
        """Lets the body of a request come only if it is not too large."""
        try:
            self._length()
        except RequestError:
            # `_answer` then writes the refusal before any of it is sent.
            return True
        return super().handle_expect_100()

    def send_error(self, code, message=None, explain=None):
        """Answers what is no request of ours as JSON, too."""
        self.close_connection = True
        self._send(code, "application/json", error_body(message or self.responses[code][0]))

    def log_message(self, format, *args):
        """Requests are counted, not logged."""

    def _answer(self):
        self._unread = int(self.headers.get("Content-Length", 0)) if self._has_length() else 1
        with self.server.counted():
            try:
                if self.server.draining:
                    raise RequestError(StatusCode.UNAVAILABLE, "the server is stopping")
                path = self.path.partition("?")[0]
                kind, text = self.server.routes.answer(self.command, path, self._body)
                code = 200
            except RequestError as error:
                kind, text = "application/json", error_body(error.message)
                code = HTTP_CODES.get(error.code, 500)
            except OSError:
                raise
            except Exception as error:
                _log.exception("a REST request failed")
                kind, text, code = "application/json", error_body(type(error).__name__), 500
            if self._unread or self.server.draining:
                self.close_connection = True
            self._send(code, kind, text)
        if self._unread:
            linger(self.connection)

    def _has_length(self):
        given = self.headers.get("Content-Length", "0")
        digits = given.isascii() and given.isdigit() and len(given) < 16
        return digits and "Transfer-Encoding" not in self.headers

    def _length(self):
        if not self._has_length():
            raise RequestError(StatusCode.INVALID_ARGUMENT, "a valid Content-Length is needed")
        length = int(self.headers.get("Content-Length", 0))
        most = self.server.limits.max_message_bytes
        if length > most:
            message = f"a body of {length} bytes, larger than max ({most})"
            raise RequestError(StatusCode.RESOURCE_EXHAUSTED, message)
        return length

    def _body(self):
        left = self._length()
        end = time.monotonic() + self.server.limits.max_request_seconds
        pieces = []
        while left:
            if time.monotonic() > end:
                raise RequestError(StatusCode.DEADLINE_EXCEEDED, "the body took too long to come")
            piece = self.rfile.read1(min(left, _PIECE))
            if not piece:
                raise ConnectionResetError("the client closed in mid-request")
            pieces.append(piece)
            left -= len(piece)
        self._unread = 0
        return b"".join(pieces)

    def _send(self, code, kind, text):
        body = f"{text}\n".encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def linger(connection):
    """Ends what we send, and takes in for a moment what the client still sends.

    To close with bytes unread would reset the connection, and our answer might be lost.

    Args:
        connection: `socket.socket`.
    """
    end = time.monotonic() + _LINGER_SECONDS
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_LINGER_SECONDS)
        while time.monotonic() < end and connection.recv(_PIECE):
            pass
