"""Defines `Predictor`, which answers prediction requests of gRPC and REST."""

import concurrent.futures
import time
from collections.abc import Callable

from grpc import StatusCode
from tensorflow_serving.apis import predict_pb2

from nfl_keras.serving.server.batcher import Batcher
from nfl_keras.serving.server.loaded_model import Arrays
from nfl_keras.serving.server.metrics import Metrics
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.signature import Signature

_UNKNOWN_MODEL = "unknown"


class Predictor:
    """Checks requests, has a `Batcher` run them, and counts them in the metrics."""

    def __init__(self, models: Models, batcher: Batcher, limits: Limits, metrics: Metrics) -> None:
        self._models = models
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics

    def predict(
        self,
        request: predict_pb2.PredictRequest,
        entrypoint: str,
        seconds: float | None = None,
        on_end: Callable[[Callable[[], object]], bool] | None = None,
    ) -> predict_pb2.PredictResponse:
        """Answers a request.

        Args:
            request: `PredictRequest`.
            entrypoint: str, `"GRPC"` or `"REST"`, for the metrics.
            seconds: Optional float. How long the caller waits, if that is shorter than the
                server's own limit.
            on_end: Optional function that registers a function to call when the caller has gone,
                and returns whether the caller is still there, as
                `grpc.ServicerContext.add_callback` does.

        Raises:
            ServingError: for whatever keeps the request from being answered.
        """
        start = time.monotonic()
        known = request.model_spec.name in self._models.names
        name = request.model_spec.name if known else _UNKNOWN_MODEL
        try:
            response = self._answer(request, seconds, on_end)
        except ServingError as error:
            self._metrics.count_request(name, error.code.name)
            raise
        self._metrics.count_request(name, StatusCode.OK.name)
        self._metrics.observe_request(name, entrypoint, time.monotonic() - start)
        return response

    def count_refusal(self) -> None:
        """Counts a request that was refused unread."""
        self._metrics.count_request(_UNKNOWN_MODEL, StatusCode.RESOURCE_EXHAUSTED.name)

    def _answer(
        self,
        request: predict_pb2.PredictRequest,
        seconds: float | None,
        on_end: Callable[[Callable[[], object]], bool] | None,
    ) -> predict_pb2.PredictResponse:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        limit = self._limits.max_request_seconds
        with self._models.leased(request.model_spec) as version:
            loaded = version.loaded
            assert loaded is not None

            def run_batched(signature: Signature, arrays: Arrays, rows: int) -> Arrays:
                def run(arrays: Arrays) -> Arrays:
                    start = time.monotonic()
                    outputs = loaded.run(signature.name, arrays)
                    self._metrics.observe_run(version.model_name, time.monotonic() - start)
                    return outputs

                key = (loaded, signature.name) if signature.batched else None
                future = self._batcher.submit(key, run, arrays, rows).future
                if on_end is not None and not on_end(future.cancel):
                    future.cancel()
                return _wait_for(future, limit if seconds is None else min(seconds, limit))

            response = loaded.predict(request, self._limits, run_batched)
        response.model_spec.name = version.model_name
        response.model_spec.version.value = version.number
        return response


def _wait_for(future: concurrent.futures.Future[Arrays], seconds: float) -> Arrays:
    try:
        return future.result(seconds)
    except concurrent.futures.CancelledError as error:
        raise ServingError(StatusCode.CANCELLED, "the caller has gone") from error
    except TimeoutError as error:
        future.cancel()
        raise ServingError(
            StatusCode.DEADLINE_EXCEEDED, f"no answer within {seconds:.3g} seconds"
        ) from error
    finally:
        # The exception's traceback holds this frame, which holds the future and so the exception.
        del future
