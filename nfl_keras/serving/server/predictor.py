"""Defines `Predictor`, which answers prediction requests of gRPC and REST."""

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from grpc import StatusCode
from tensorflow_serving.apis import predict_pb2

from nfl_keras.serving.server.batcher import Arrays, Batcher
from nfl_keras.serving.server.gate import Gate
from nfl_keras.serving.server.metrics import Metrics
from nfl_keras.serving.server.model import Lease
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.signature import Signature

OnEnd: TypeAlias = Callable[[Callable[[], Any]], bool]

_UNKNOWN_MODEL = "unknown"


class Predictor:
    """Checks requests, has a `Batcher` run them, and counts them in the metrics.

    Its `gate` is entered by the callers of `predict`, before they read a request.
    """

    def __init__(self, models: Models, batcher: Batcher, limits: Limits, metrics: Metrics) -> None:
        self.models = models
        self.limits = limits
        self.metrics = metrics
        self.gate = Gate(limits.max_concurrent_requests, "predictions", self._count_refusal)
        self._batcher = batcher

    def predict(
        self,
        request: Any,
        entrypoint: str,
        seconds: float | None = None,
        on_end: OnEnd | None = None,
        lease: Lease | None = None,
    ) -> predict_pb2.PredictResponse:
        """Answers a request.

        Args:
            request: `PredictRequest`.
            entrypoint: str, `"GRPC"` or `"REST"`, for the metrics.
            seconds: Optional float. How long the caller waits, if that is shorter than the limit.
            on_end: Optional function that registers a function to call when the caller has gone,
                and returns whether the caller is still there: `ServicerContext.add_callback`.
            lease: Optional `Lease` of the version to ask. Defaults to the one of the request.

        Raises:
            ServingError: for whatever keeps the request from being answered.
        """
        start = time.monotonic()
        name = request.model_spec.name
        name = name if self.models.get(name) else _UNKNOWN_MODEL
        limit = self.limits.max_request_seconds
        try:
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            lease = lease or self.models.lease(request.model_spec)
            response = self._answer(request, lease, min(seconds or limit, limit), on_end)
        except ServingError as error:
            self.metrics.count_request(name, error.code.name)
            raise
        self.metrics.count_request(name, StatusCode.OK.name)
        self.metrics.observe_request(name, entrypoint, time.monotonic() - start)
        return response

    def _count_refusal(self) -> None:
        self.metrics.count_request(_UNKNOWN_MODEL, StatusCode.RESOURCE_EXHAUSTED.name)

    def _answer(
        self, request: Any, lease: Lease, seconds: float, on_end: OnEnd | None
    ) -> predict_pb2.PredictResponse:
        name, number, loaded = lease

        def run_batched(signature: Signature, arrays: Arrays, rows: int) -> Arrays:
            def run(arrays: Arrays) -> Arrays:
                start = time.monotonic()
                outputs = loaded.run(signature.name, arrays)
                self.metrics.observe_run(name, time.monotonic() - start)
                return outputs

            key = (loaded, signature.name) if signature.batched else None
            future = self._batcher.submit(key, run, arrays, rows).future
            if on_end is not None and not on_end(future.cancel):
                future.cancel()
            return _wait_for(future, seconds)

        response = loaded.predict(request, self.limits, run_batched)
        response.model_spec.name = name
        response.model_spec.version.value = number
        return response


def _wait_for(future: concurrent.futures.Future[Arrays], seconds: float) -> Arrays:
    try:
        return future.result(seconds)
    except concurrent.futures.CancelledError as error:
        raise ServingError(StatusCode.CANCELLED, "the caller has gone") from error
    except TimeoutError as error:
        future.cancel()
        message = f"no answer within {seconds:.3g} seconds"
        raise ServingError(StatusCode.DEADLINE_EXCEEDED, message) from error
    finally:
        # The exception's traceback holds this frame, which holds the future and so the exception.
        del future
