"""The REST port: HTTP by the standard library, with a limit to connections and a soft stop."""

import contextlib
import http.server
import logging
import socket
import socketserver
import threading

from nfl_keras.errors import UserError
from nfl_keras.serving.server.limits import Gate
from nfl_keras.serving.server.request_error import RequestError
from nfl_keras.serving.server.rest_handler import RestHandler, linger
from nfl_keras.serving.server.rest_routes import error_body

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 30.0


class RestListener(http.server.ThreadingHTTPServer):
    """A port that answers TF Serving's REST API, each connection in a thread of its own.

    Args:
        routes: `RestRoutes`.
        limits: `Limits`. Twice as many connections as predictions are taken.
        host: str.
        port: int; 0 for any free one.
        ssl_context: `ssl.SSLContext`, or None for plain text.

    Attributes:
        port: int, the one that is listened on.
        draining: bool. Whether `stop` has been called.

    Raises:
        UserError: if the port cannot be had.
    """

    daemon_threads = True
    allow_reuse_port = False
    request_queue_size = 128

    def __init__(self, routes, limits, host, port, ssl_context=None):
        self.routes = routes
        self.limits = limits
        self.draining = False
        self._ssl_context = ssl_context
        self._places = Gate(2 * limits.max_concurrent_requests, "connections")
        self._open = set()
        self._active = 0
        self._changed = threading.Condition()
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), RestHandler)
        except OSError as error:
            raise UserError(
                f"cannot listen on {host}:{port}; is another server there? ({error.strerror})"
            ) from error
        self.port = self.server_address[1]
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="nfl-rest", daemon=True
        )

    def start(self):
        """Begins to answer."""
        self._thread.start()

    def stop(self, grace):
        """Takes no more connections, lets requests under way end, and closes the others.

        Args:
            grace: float. Seconds after which they are closed all the same.
        """
        self.draining = True
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: not self._active, grace)
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def counted(self):
        """Around the answering of a request, for which `stop` waits."""
        with self._changed:
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def server_bind(self):
        # The parent would ask the name service for the host's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request, client_address):
        """Handles a connection, in its own thread."""
        request.settimeout(_IDLE_SECONDS)
        try:
            with self._places.entered():
                self._handle(request, client_address)
        except RequestError as error:
            body = error_body(error.message)
            head = f"HTTP/1.1 429 Too Many Requests\r\nContent-Length: {len(body)}\r\n"
            request.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
            linger(request)

    def handle_error(self, request, client_address):
        """Connections that break off are the client's affair."""
        _log.debug("a connection from %s broke off", client_address, exc_info=True)

    def _handle(self, request, client_address):
        with contextlib.ExitStack() as at_end:
            if self._ssl_context is not None:
                request = self._ssl_context.wrap_socket(request, server_side=True)
                at_end.callback(request.close)
            self._open.add(request)
            at_end.callback(self._open.discard, request)
            super().finish_request(request, client_address)
