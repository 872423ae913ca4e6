"""Defines `Services`, which answers the calls of TensorFlow Serving's API."""

import concurrent.futures
import functools
import time
from typing import Any, TypeAlias

import grpc
from grpc import StatusCode
from tensorflow_serving.apis import get_model_metadata_pb2 as metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2 as status_pb2
from tensorflow_serving.apis import model_management_pb2 as management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc as models_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc as prediction_grpc
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from nfl_keras.serving.server.batcher import Arrays, Batcher
from nfl_keras.serving.server.call_guard import Gate
from nfl_keras.serving.server.loaded_model import LoadedModel
from nfl_keras.serving.server.metrics import Metrics
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.signature import Signature

_Context: TypeAlias = grpc.ServicerContext | None
_SIGNATURE_DEF = "signature_def"
_UNKNOWN_MODEL = "unknown"


class Services(prediction_grpc.PredictionServiceServicer, models_grpc.ModelServiceServicer):
    """TF Serving's two gRPC services, which REST asks as well; other methods are UNIMPLEMENTED.

    The callers of `Predict` enter the `gate` before they read a request.
    """

    def __init__(self, models: Models, batcher: Batcher, limits: Limits, metrics: Metrics) -> None:
        self.models = models
        self.limits = limits
        self.metrics = metrics
        # A request that is refused is not read, so that its model is not known.
        refused = _UNKNOWN_MODEL, StatusCode.RESOURCE_EXHAUSTED.name
        count = functools.partial(metrics.count_request, *refused)
        self.gate = Gate(limits.max_concurrent_requests, "predictions", count)
        self._batcher = batcher

    def Predict(  # noqa: N802
        self, request: PredictRequest, context: _Context, loaded: LoadedModel | None = None
    ) -> PredictResponse:
        """Answers a request; REST has no context and gives the version that it has read."""
        start = time.monotonic()
        asked = request.model_spec.name
        name = asked if asked in self.models.served else _UNKNOWN_MODEL
        try:
            _check_spec(request)
            loaded = loaded or self.models.find_version(request.model_spec)
            response = self._predict(request, context, loaded)
        except ServingError as error:
            self.metrics.count_request(name, error.code.name)
            raise
        self.metrics.count_request(name, StatusCode.OK.name)
        entrypoint = "REST" if context is None else "GRPC"
        self.metrics.observe_request(name, entrypoint, time.monotonic() - start)
        return response

    def GetModelMetadata(  # noqa: N802
        self, request: metadata_pb2.GetModelMetadataRequest, context: _Context
    ) -> metadata_pb2.GetModelMetadataResponse:
        """Describes the signatures of a version."""
        _check_spec(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid(f"Metadata field {field} is not supported")
        loaded = self.models.find_version(request.model_spec)
        spec = {"name": request.model_spec.name, "version": {"value": loaded.number}}
        response = metadata_pb2.GetModelMetadataResponse(model_spec=spec)
        signatures = metadata_pb2.SignatureDefMap(signature_def=loaded.signature_defs)
        response.metadata[_SIGNATURE_DEF].Pack(signatures)
        return response

    def GetModelStatus(  # noqa: N802
        self, request: status_pb2.GetModelStatusRequest, context: _Context
    ) -> status_pb2.GetModelStatusResponse:
        """Describes the state of all versions of a model or of one."""
        _check_spec(request)
        spec = request.model_spec
        model = self.models.served.get(spec.name)
        number = model.number_of(spec) if model else None
        statuses = model.statuses(number) if model else []
        if not statuses:
            what = "any versions" if number is None else f"version {number}"
            raise ServingError(StatusCode.NOT_FOUND, f"Could not find {what} of model {spec.name}")
        return status_pb2.GetModelStatusResponse(model_version_status=statuses)

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: management_pb2.ReloadConfigRequest, context: _Context
    ) -> management_pb2.ReloadConfigResponse:
        """Serves the models of a configuration instead of the models served until now."""
        if request.config.WhichOneof("config") != "model_config_list":
            refusal = "ServerModelConfig type not supported by HandleReloadConfigRequest."
            raise invalid(f"{refusal} Only ModelConfigList is currently supported")
        self.models.configure(request.config.model_config_list.config)
        return management_pb2.ReloadConfigResponse(status={})

    def _predict(
        self, request: PredictRequest, context: _Context, loaded: LoadedModel
    ) -> PredictResponse:
        deadline = context.time_remaining() if context is not None else None
        limit = self.limits.max_request_seconds
        seconds = limit if deadline is None else min(deadline, limit)

        def run(signature: Signature, arrays: Arrays, rows: int) -> Arrays:
            def run_and_time(arrays: Arrays) -> Arrays:
                start = time.monotonic()
                outputs = loaded.run(signature.name, arrays)
                self.metrics.observe_run(request.model_spec.name, time.monotonic() - start)
                return outputs

            key = (loaded, signature.name) if signature.batched else None
            future = self._batcher.submit(key, run_and_time, arrays, rows)
            try:
                if context is not None and not context.add_callback(future.cancel):
                    future.cancel()
                return future.result(seconds)
            except concurrent.futures.CancelledError as error:
                raise ServingError(StatusCode.CANCELLED, "the caller has gone") from error
            except TimeoutError as error:
                future.cancel()
                message = f"no answer within {seconds:.3g} seconds"
                raise ServingError(StatusCode.DEADLINE_EXCEEDED, message) from error
            finally:
                # An exception's traceback holds this frame, and so would hold itself.
                del future

        return loaded.predict(request, self.limits, run)


def _check_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
