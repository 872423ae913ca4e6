"""The embedded server: one object that starts, answers and stops."""

import threading

from nfl_keras.errors import UserError
from nfl_keras.serving.server.batching import Batcher, Batching
from nfl_keras.serving.server.grpc_listener import GrpcListener
from nfl_keras.serving.server.limits import Gate, Limits
from nfl_keras.serving.server.metrics import Metrics
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.predictor import Predictor, answer_alone
from nfl_keras.serving.server.rest_listener import RestListener
from nfl_keras.serving.server.rest_routes import RestRoutes

GRACE_SECONDS = 30.0
_BATCHING = Batching()
_LIMITS = Limits()


class Server:
    """Serves exported models by TensorFlow Serving's gRPC and REST API, in this process.

    For a laptop, a test or a small service, where no TF Serving runs; clients of the one work
    with the other. New versions are taken up while it runs, and concurrent requests are merged
    into batches.

    Args:
        directory: str or path, `<directory>/<version>/`, the folder's name being the model's, or
            `<directory>/<name>/<version>/` for several models.
        port: int, for gRPC; 0 for any free one. Defaults to 8500.
        rest_port: Optional int, for REST and metrics; 0 for any free one. None: no REST.
        host: str. The address to listen on; by default none but this machine can reach it.
        batching: `Batching`, or None to run each request alone.
        limits: `Limits`.
        poll_seconds: float. How often the folder is looked through for new versions.
        tls: Optional `Tls`, for both ports.

    Raises:
        UserError: from `start`, if no model can be loaded or a port cannot be had.

    Example:

    >>> with nfl.serving.Server("models", port=0) as server:
    ...     client = nfl.serving.Client(f"localhost:{server.port}")
    ...     vectors = client.embed(["rose.jpg"]).embeddings
    """

    def __init__(
        self,
        directory,
        port=8500,
        *,
        rest_port=None,
        host="127.0.0.1",
        batching=_BATCHING,
        limits=_LIMITS,
        poll_seconds=1.0,
        tls=None,
    ):
        if poll_seconds <= 0:
            raise UserError(f"poll_seconds must be above 0, not {poll_seconds}.")
        self.directory = directory
        self._address = (host, port)
        self._rest_port = rest_port
        self._tls = tls
        self._limits = limits
        self._metrics = Metrics()
        self._batcher = Batcher(batching, self._metrics.observe_batch)
        self.models = Models(
            directory, lambda loaded, request: answer_alone(loaded, request, limits), poll_seconds
        )
        self._predictor = Predictor(self.models, self._batcher, limits, self._metrics)
        self._grpc = None
        self._rest = None
        self._stopped = threading.Event()

    @property
    def port(self):
        """The gRPC port, once started."""
        return self._grpc.port

    @property
    def rest_port(self):
        """The REST port, once started; None if there is none."""
        return None if self._rest is None else self._rest.port

    def start(self):
        """Loads the models, then begins to answer. A server is started once.

        Returns:
            The server.
        """
        host, port = self._address
        tls_of_rest = self._tls and self._tls.ssl_context()
        tls_of_grpc = self._tls and self._tls.grpc_credentials()
        gate = Gate(self._limits.max_concurrent_requests, "predictions", self._predictor.refused)
        try:
            self.models.start()
            self._batcher.start()
            self._grpc = GrpcListener(
                self._predictor,
                self.models,
                self._limits,
                gate,
                host,
                port,
                tls_of_grpc,
            )
            if self._rest_port is not None:
                seconds = self._limits.max_request_seconds
                routes = RestRoutes(self._predictor, self.models, self._metrics, gate, seconds)
                self._rest = RestListener(routes, self._limits, host, self._rest_port, tls_of_rest)
                self._rest.start()
            self._grpc.start()
        except BaseException:
            self.stop(grace=0)
            raise
        return self

    def wait(self, seconds=None):
        """Waits until the server is stopped.

        Args:
            seconds: Optional float, the longest to wait.

        Returns:
            Whether it is stopped.
        """
        return self._stopped.wait(seconds)

    def stop(self, grace=GRACE_SECONDS):
        """Takes no more requests, lets those under way end, and lets go of the models.

        Args:
            grace: float. Seconds after which requests under way are ended all the same.
        """
        if self._stopped.is_set():
            return
        grpc_is_stopped = self._grpc.stop(grace) if self._grpc is not None else None
        if self._rest is not None:
            self._rest.stop(grace)
        if grpc_is_stopped is not None:
            grpc_is_stopped()
        self._batcher.stop()
        self.models.stop()
        self._stopped.set()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, traceback):
        self.stop()
