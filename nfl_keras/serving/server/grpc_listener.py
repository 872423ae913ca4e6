"""Defines `GrpcListener`, the gRPC port: TF Serving's services, health and reflection."""

import concurrent.futures
from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    model_management_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
    status_pb2,
)

from nfl_keras.errors import UserError
from nfl_keras.serving.server import model_info
from nfl_keras.serving.server.call_guard import CallGuard
from nfl_keras.serving.server.gate import Gate
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.predictor import Predictor
from nfl_keras.serving.server.settings import Limits

# By their descriptors, which reflection then finds as well.
_PREDICTION_SERVICE = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]
_MODEL_SERVICE = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]
_SERVICES = (_PREDICTION_SERVICE.full_name, _MODEL_SERVICE.full_name)

_OTHER_CALLS = 16
_SPARE_THREADS = 4
_KEEPALIVE_MS = 30_000
_STREAM_SECONDS = 0.2


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the service's other methods are UNIMPLEMENTED."""

    def __init__(self, predictor: Predictor, models: Models) -> None:
        self._predictor = predictor
        self._models = models

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._predictor.predict(
            request, "GRPC", context.time_remaining(), context.add_callback
        )

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return model_info.metadata(self._models, request)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return model_info.status(self._models, request)

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: Any, context: grpc.ServicerContext
    ) -> Any:
        model_info.reload(self._models, request)
        return model_management_pb2.ReloadConfigResponse(status=status_pb2.StatusProto())


class GrpcListener:
    """A port that answers TensorFlow Serving's gRPC API.

    Args:
        predictor: `Predictor`.
        models: `Models`.
        limits: `Limits`.
        gate: `Gate` for predictions.
        host: str.
        port: int; 0 for any free one.
        credentials: Optional `grpc.ServerCredentials`. Defaults to plain text.

    Attributes:
        port: int. The port that is listened on.

    Raises:
        UserError: if the port cannot be used.
    """

    def __init__(
        self,
        predictor: Predictor,
        models: Models,
        limits: Limits,
        gate: Gate,
        host: str,
        port: int,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        others = Gate(_OTHER_CALLS, "other calls")
        self._guard = CallGuard(gate, others, limits.max_request_seconds)
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
        self._server = grpc.server(
            self._threads, interceptors=[self._guard], options=list(options.items())
        )
        self._health = health.HealthServicer(experimental_non_blocking=False)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(predictor, models), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(models), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            self._guard.stop()
            raise UserError(f"cannot listen on {address}; is another server there?") from error

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()
        for service in ("", *_SERVICES):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace: float) -> Callable[[], None]:
        """Reports NOT_SERVING, accepts no more calls, and lets calls under way end.

        Args:
            grace: float. Seconds after which calls under way are cancelled.

        Returns:
            Function without arguments that waits until all calls have ended.
        """
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(grace)

        def wait() -> None:
            # Clients that watch the health are told first, since their streams never end.
            stopped.wait(_STREAM_SECONDS)
            self._guard.stop()
            stopped.wait()
            self._threads.shutdown(wait=False)

        return wait
