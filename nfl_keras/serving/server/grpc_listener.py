"""Defines `GrpcListener`, the gRPC port: TF Serving's services, health and reflection."""

import concurrent.futures
from collections.abc import Callable

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2 as models_pb2
from tensorflow_serving.apis import model_service_pb2_grpc as models_grpc
from tensorflow_serving.apis import prediction_service_pb2 as prediction_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc as prediction_grpc

from nfl_keras.errors import UserError
from nfl_keras.serving.server.call_guard import CallGuard, Gate
from nfl_keras.serving.server.services import Services

# By their descriptors, which reflection then finds as well.
_SERVICES = (
    prediction_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    models_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
)
_OTHER_CALLS = 16
_SPARE_THREADS = 4
_KEEPALIVE_MS = 30_000
_STREAM_SECONDS = 0.2


class GrpcListener:
    """A port that answers TensorFlow Serving's gRPC API; `port` is its number."""

    def __init__(
        self, services: Services, host: str, port: int, credentials: grpc.ServerCredentials | None
    ) -> None:
        limits = services.limits
        others = Gate(_OTHER_CALLS, "other calls")
        self._guard = CallGuard(services.gate, others, limits.max_request_seconds)
        most = limits.max_concurrent_requests + _OTHER_CALLS + _SPARE_THREADS
        self._threads = concurrent.futures.ThreadPoolExecutor(most, "nfl-grpc")
        options = {
            "grpc.max_receive_message_length": limits.max_message_bytes,
            "grpc.max_send_message_length": -1,
            # A second server on the port would silently take half of the calls.
            "grpc.so_reuseport": 0,
            # Clients that vanish without closing are noticed.
            "grpc.keepalive_time_ms": _KEEPALIVE_MS,
            "grpc.keepalive_timeout_ms": _KEEPALIVE_MS,
        }
        server = grpc.server(self._threads, interceptors=[self._guard], options=[*options.items()])
        self._server = server
        self._health = health.HealthServicer(experimental_non_blocking=False)
        prediction_grpc.add_PredictionServiceServicer_to_server(services, server)
        models_grpc.add_ModelServiceServicer_to_server(services, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if credentials is None:
                self.port = server.add_insecure_port(address)
            else:
                self.port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            self._guard.stop()
            raise UserError(f"cannot listen on {address}; is another server there?") from error

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()
        for service in ("", *_SERVICES):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace: float) -> Callable[[], None]:
        """Reports NOT_SERVING, ends calls after `grace`; returns a function that waits for that."""
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(grace)

        def wait() -> None:
            # Clients that watch the health are told first, since their streams never end.
            stopped.wait(_STREAM_SECONDS)
            self._guard.stop()
            stopped.wait()
            self._threads.shutdown(wait=False)

        return wait
