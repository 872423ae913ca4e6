"""Defines the server of the page."""

import contextlib
import logging
import os
import pathlib
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
import uvicorn
from starlette.types import ASGIApp

from nfl_keras.errors import UserError
from nfl_keras.gallery import Gallery
from nfl_keras.web.guard import Guard
from nfl_keras.web.limits import GRACE_SECONDS, MAX_CONNECTIONS
from nfl_keras.web.password import is_loopback

# Searched for once, so that the model is loaded before the first visitor comes.
_NOISE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


class PageServer:
    """Serves the page on which a gallery is searched.

    It is a context manager, which deletes the visitors' photographs in the end.

    Args:
        gallery: `nfl.Gallery`.
        host: str, the address to listen on. Defaults to `"127.0.0.1"`, which only this machine
            reaches.
        port: int; 0 for any free one. Defaults to `7860`.
        password: str, which a visitor must know. Defaults to `None`: no password.
        threshold: float, the least similarity of a match. Defaults to `None`: the calibrated one.

    Raises:
        UserError: if gradio is not installed, or the address cannot be listened on.
    """

    def __init__(
        self,
        gallery: Gallery,
        host: str = "127.0.0.1",
        port: int = 7860,
        password: str | None = None,
        threshold: float | None = None,
    ) -> None:
        self._socket = _listening(host, port)
        name = f"[{host}]" if ":" in host else host
        self.address = f"http://{name}:{self._socket.getsockname()[1]}/"
        self._folder = tempfile.TemporaryDirectory(prefix="nfl-keras-search-")
        uploads = pathlib.Path(self._folder.name).resolve()
        try:
            app = _application(gallery, uploads, threshold)
        except BaseException:
            self._close()
            raise
        hosts = {"127.0.0.1", "::1", "localhost"} if is_loopback(host) else None
        config = uvicorn.Config(
            Guard(app, uploads, password, hosts),
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def run(self) -> None:
        """Answers visitors until `stop`, SIGTERM or Ctrl-C."""
        with _signals_that_end_no_process():
            self._server.run([self._socket])

    def stop(self) -> None:
        """Makes `run` return, from another thread."""
        self._server.should_exit = True

    def _close(self) -> None:
        self._socket.close()
        self._folder.cleanup()


def _application(gallery: Gallery, uploads: pathlib.Path, threshold: float | None) -> ASGIApp:
    # Gradio reads these as it is imported and as the page is made.
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        from nfl_keras.web.mounted import mounted
        from nfl_keras.web.page import search_page
    except ModuleNotFoundError as error:
        raise UserError(
            f'the page needs {error.name}; install it by pip install "nfl_keras[web]".'
        ) from error
    calibrated = gallery.search(_NOISE, k=1).threshold
    return mounted(search_page(gallery, uploads, threshold, calibrated))


@contextlib.contextmanager
def _signals_that_end_no_process() -> Iterator[None]:
    # uvicorn stops by SIGTERM and SIGINT, and then raises them again for who came before it.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.signal(n, lambda *_: None) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise UserError(f"the port must be 0 to 65535, not {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another."
        ) from error
