"""The gRPC port: services, health and reflection behind the guard of calls."""

import concurrent.futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from nfl_keras.errors import UserError
from nfl_keras.serving.server.call_guard import CallGuard
from nfl_keras.serving.server.grpc_services import (
    MODEL_SERVICE,
    PREDICTION_SERVICE,
    ModelService,
    PredictionService,
)
from nfl_keras.serving.server.limits import Gate

_LIGHT_CALLS = 16
_SPARE_THREADS = 4
_KEEPALIVE_MS = 30_000
_STREAM_SECONDS = 0.2


class GrpcListener:
    """A port that answers TensorFlow Serving's gRPC API.

    Args:
        predictor: `Predictor`.
        models: `Models`.
        limits: `Limits`.
        gate: `Gate` for predictions.
        host: str.
        port: int; 0 for any free one.
        credentials: `grpc.ServerCredentials`, or None for plain text.

    Attributes:
        port: int, the one that is listened on.

    Raises:
        UserError: if the port cannot be had.
    """

    def __init__(self, predictor, models, limits, gate, host, port, credentials=None):
        light = Gate(_LIGHT_CALLS, "other calls")
        self._guard = CallGuard(gate, light, limits.max_request_seconds)
        most = limits.max_concurrent_requests + _LIGHT_CALLS + _SPARE_THREADS
        self._threads = concurrent.futures.ThreadPoolExecutor(most, "nfl-grpc")
        self._server = grpc.server(
            self._threads,
            interceptors=[self._guard],
            options=_options(limits),
        )
        self._health = health.HealthServicer(experimental_non_blocking=False)
        self._add_services(predictor, models)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            self._guard.stop()
            raise UserError(f"cannot listen on {address}; is another server there?") from error

    def start(self):
        """Begins to answer."""
        self._server.start()
        for service in ("", PREDICTION_SERVICE, MODEL_SERVICE):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace):
        """Says NOT_SERVING, takes no more calls, and lets those under way end.

        Args:
            grace: float. Seconds after which they are cancelled.

        Returns:
            Function without arguments that waits until that is done.
        """
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(grace)

        def wait():
            # Streams do not end on their own; who watches the health is told of the end first.
            stopped.wait(_STREAM_SECONDS)
            self._guard.stop()
            stopped.wait()
            self._threads.shutdown(wait=False)

        return wait

    def _add_services(self, predictor, models):
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(predictor, models), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(models), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (PREDICTION_SERVICE, MODEL_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME),
            self._server,
        )


def _options(limits):
    return [
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # A second server on the port would take half of the calls without a word.
        ("grpc.so_reuseport", 0),
        # Clients that vanish without closing are noticed.
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_MS),
    ]
