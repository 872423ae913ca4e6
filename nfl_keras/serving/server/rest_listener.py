"""Defines `RestListener`, the REST port: a `RestApp` that uvicorn serves in a thread."""

import asyncio
import functools
import http
import math
import socket
import ssl
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from nfl_keras.errors import UserError
from nfl_keras.serving.server.rest_app import RestApp, error_body
from nfl_keras.serving.server.services import Services

_IDLE_SECONDS = 30
_LINGER_SECONDS = 2
_BACKLOG = 128


class RestListener:
    """A port that answers TF Serving's REST API; `port` is its number.

    It accepts twice as many connections as predictions, and refuses more in words. With TLS, it
    closes a connection when there are twice that many, those with a handshake under way among them.
    """

    def __init__(
        self, services: Services, host: str, port: int, ssl_context: ssl.SSLContext | None
    ) -> None:
        self._app = RestApp(services)
        most = 2 * services.limits.max_concurrent_requests
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        try:
            plain = socket.create_server(
                (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both
            )
        except (OSError, OverflowError) as error:
            message = f"cannot listen on {host}:{port}; is another server there? ({error})"
            raise UserError(message) from error
        self._socket = _Listener(2 * most, plain.detach())
        # Accepted connections inherit it. Without it the body of an answer waits for a delayed ACK.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            # A handshake is bounded by `accept`, which uvloop does not call.
            loop="auto" if ssl_context is None else "asyncio",
            http=functools.partial(_Connection, most),  # type: ignore[arg-type]  # uvicorn calls it as it calls the class
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        config.load()
        config.ssl = ssl_context
        self._server = uvicorn.Server(config)
        run = functools.partial(self._server.run, [self._socket])
        self._thread = threading.Thread(target=run, name="nfl-rest", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Accepts no more connections; requests under way get an error after `grace` seconds."""
        self._server.config.timeout_graceful_shutdown = math.ceil(grace)
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
        self._app.close()


class _Listener(socket.socket):
    """A listening socket that closes a connection at once if `most` are open already."""

    def __init__(self, most: int, descriptor: int) -> None:
        super().__init__(fileno=descriptor)
        self._most = most
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self._accepted = [open_one for open_one in self._accepted if open_one.fileno() >= 0]
        if len(self._accepted) >= self._most:
            connection.close()
            raise ConnectionAbortedError
        self._accepted.append(connection)
        return connection, address


class _Connection(H11Protocol):
    """A connection of uvicorn, bounded in number and in time, which refuses in JSON.

    uvicorn ends a connection that is idle between two requests, but not one that has sent no
    request yet or does not read its answer.
    """

    def __init__(self, most: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.access_log = False
        self.is_refused = False
        self._most = most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._timer = self.loop.call_later(_IDLE_SECONDS, transport.abort)
        refused = sum(getattr(connection, "is_refused", False) for connection in self.connections)
        if len(self.connections) - refused > self._most:
            self._refuse(429, f"{self._most} connections are under way already; try again.")

    def data_received(self, data: bytes) -> None:
        if not self.is_refused:
            super().data_received(data)
            if self._is_answering:
                self._timer.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering:
            self._timer = self.loop.call_later(_IDLE_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        if self._is_answering and self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(400, msg)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, code: int, message: str) -> None:
        self.is_refused = True
        body = f"{error_body(message)}\n"
        head = (
            f"HTTP/1.1 {code} {http.HTTPStatus(code).phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        self.transport.write("\r\n".join([*head, "", body]).encode())
        if self._is_answering or not self.transport.can_write_eof():
            self.transport.close()
        else:
            # Closing with bytes unread would reset the connection and might lose the answer.
            self.transport.write_eof()
            self._timer.cancel()
            self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)
