"""Defines `Server`, which serves exported models in this process."""

from typing import Self

from nfl_keras.errors import UserError
from nfl_keras.serving.server.batcher import Batcher
from nfl_keras.serving.server.grpc_listener import GrpcListener
from nfl_keras.serving.server.metrics import Metrics
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.rest_listener import RestListener
from nfl_keras.serving.server.services import Services
from nfl_keras.serving.server.settings import GRACE_SECONDS, Batching, Limits, Tls
from nfl_keras.typing import Path

_BATCHING = Batching()
_LIMITS = Limits()


class Server:
    """Serves exported models by TensorFlow Serving's gRPC and REST API, in this process.

    It is made for a laptop, a test or a small service, where no TF Serving runs. The same clients
    work with both. New versions are loaded while it runs, and concurrent requests are merged into
    batches.

    Args:
        directory: str or path. Either `<directory>/<version>/`, where the folder's name is the
            model's name, or `<directory>/<name>/<version>/` for several models.
        port: int. The gRPC port; 0 for any free one. Defaults to `8500`.
        rest_port: Optional int. The port for REST and metrics; 0 for any free one. Defaults to
            `None`, no REST.
        host: str. The address to listen on. Defaults to `"127.0.0.1"`, which no other machine can
            reach.
        batching: `Batching`, or None to run each request alone. Defaults to `Batching()`.
        limits: `Limits`. Defaults to `Limits()`.
        poll_seconds: float. The time between two searches for new versions. Defaults to `1.0`.
        tls: Optional `Tls` for both ports. Defaults to `None`, plain text.

    Raises:
        UserError: from `start`, if no model can be loaded or a port cannot be used.

    Example, which needs an exported model in the folder `models`:

    >>> with nfl.serving.Server("models", port=0) as server:  # doctest: +SKIP
    ...     client = nfl.serving.Client(f"localhost:{server.port}")
    ...     vectors = client.embed(["rose.jpg"]).embeddings
    """

    def __init__(
        self,
        directory: Path,
        port: int = 8500,
        *,
        rest_port: int | None = None,
        host: str = "127.0.0.1",
        batching: Batching | None = _BATCHING,
        limits: Limits = _LIMITS,
        poll_seconds: float = 1.0,
        tls: Tls | None = None,
    ) -> None:
        if poll_seconds <= 0:
            raise UserError(f"poll_seconds must be above 0, not {poll_seconds}.")
        self._host = host
        self._ports = port, rest_port
        self._tls = tls
        metrics = Metrics()
        self._batcher = Batcher(batching, metrics.observe_batch)
        self.models = Models(directory, limits, poll_seconds)
        self._services = Services(self.models, self._batcher, limits, metrics)
        self._grpc: GrpcListener | None = None
        self._rest: RestListener | None = None
        self._is_stopped = False

    @property
    def port(self) -> int | None:
        """The gRPC port, once started."""
        return None if self._grpc is None else self._grpc.port

    @property
    def rest_port(self) -> int | None:
        """The REST port, once started; None if there is none."""
        return None if self._rest is None else self._rest.port

    def start(self) -> Self:
        """Loads the models, then begins to answer. A server can be started once.

        Returns:
            The server.
        """
        port, rest_port = self._ports
        credentials, ssl_context = (None, None) if self._tls is None else self._tls.load()
        try:
            self.models.start()
            self._batcher.start()
            self._grpc = GrpcListener(self._services, self._host, port, credentials)
            if rest_port is not None:
                self._rest = RestListener(self._services, self._host, rest_port, ssl_context)
                self._rest.start()
            self._grpc.start()
        except BaseException:
            self.stop(grace=0)
            raise
        return self

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Accepts no more requests, lets requests under way end, and releases the models.

        Args:
            grace: float. Seconds after which requests under way are ended. Defaults to `30.0`.
        """
        if self._is_stopped:
            return
        self._is_stopped = True
        wait_for_grpc = self._grpc.stop(grace) if self._grpc is not None else None
        if self._rest is not None:
            self._rest.stop(grace)
        if wait_for_grpc is not None:
            wait_for_grpc()
        self._batcher.stop()
        self.models.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
