"""A prediction from request to answer, whichever way the request came."""

import concurrent.futures
import time

from grpc import StatusCode
from tensorflow_serving.apis import predict_pb2

from nfl_keras.serving.server.request_error import RequestError, from_tensorflow
from nfl_keras.serving.server.tensors import to_proto

DEFAULT_SIGNATURE = "serving_default"
_UNKNOWN_MODEL = "unknown"


class Predictor:
    """Checks requests, has them run, and makes the answers.

    Args:
        models: `Models`.
        batcher: `Batcher`.
        limits: `Limits`.
        metrics: `Metrics`.
    """

    def __init__(self, models, batcher, limits, metrics):
        self._models = models
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics

    def predict(self, request, entrypoint, seconds, on_end=None):
        """Answers a request.

        Args:
            request: `PredictRequest`.
            entrypoint: str, `"GRPC"` or `"REST"`, for the metrics.
            seconds: float. How long the caller waits; the server's own limit may be shorter.
            on_end: Optional function that takes a function to call once the caller has gone, such
                as `grpc.ServicerContext.add_callback`.

        Returns:
            `PredictResponse`.

        Raises:
            RequestError: for whatever keeps it from being answered.
        """
        start = time.monotonic()
        known = request.model_spec.name in self._models.names
        name = request.model_spec.name if known else _UNKNOWN_MODEL
        try:
            response = self._answered(request, seconds, on_end)
        except RequestError as error:
            self._metrics.count_request(name, error.code.name)
            raise
        self._metrics.count_request(name, StatusCode.OK.name)
        self._metrics.observe_request(name, entrypoint, time.monotonic() - start)
        return response

    def refused(self):
        """Counts a request that was turned away unread."""
        self._metrics.count_request(_UNKNOWN_MODEL, StatusCode.RESOURCE_EXHAUSTED.name)

    def _answered(self, request, seconds, on_end):
        if not request.HasField("model_spec"):
            raise RequestError(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
        with self._models.leased(request.model_spec) as version:
            loaded = version.loaded
            signature = signature_of(loaded, request.model_spec.signature_name)
            wanted = signature.wanted(request.output_filter)
            arrays, rows = signature.arrays(request.inputs, self._limits)

            def run(arrays):
                start = time.monotonic()
                outputs = loaded.run(signature.name, arrays)
                self._metrics.observe_run(version.model_name, time.monotonic() - start)
                return outputs

            key = (loaded, signature.name) if signature.batched else None
            future = self._batcher.submit(key, run, arrays, rows).future
            if on_end is not None and not on_end(future.cancel):
                future.cancel()
            outputs = _awaited(future, min(seconds, self._limits.max_request_seconds))
        response = _response(outputs, wanted)
        response.model_spec.name = version.model_name
        response.model_spec.version.value = version.number
        response.model_spec.signature_name = signature.name
        return response


def signature_of(loaded, name):
    """The `Signature` a request names; an empty name means `"serving_default"`.

    Raises:
        RequestError: FAILED_PRECONDITION where there is none of that name, as TF Serving has it.
    """
    name = name or DEFAULT_SIGNATURE
    if name not in loaded.signatures:
        raise RequestError(
            StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    return loaded.signatures[name]


def answer_alone(loaded, request, limits):
    """Answers a request by a model that is not served yet, as for its warm-up.

    Args:
        loaded: `LoadedModel`.
        request: `PredictRequest`; the model and version it names are not looked at.
        limits: `Limits`.

    Returns:
        `PredictResponse` without `model_spec`.

    Raises:
        RequestError: as `Predictor.predict`.
    """
    signature = signature_of(loaded, request.model_spec.signature_name)
    wanted = signature.wanted(request.output_filter)
    arrays, _ = signature.arrays(request.inputs, limits)
    try:
        outputs = loaded.run(signature.name, arrays)
    except Exception as error:
        raise from_tensorflow(error) from error
    return _response(outputs, wanted)


def _response(outputs, wanted):
    response = predict_pb2.PredictResponse()
    for alias in wanted:
        response.outputs[alias].CopyFrom(to_proto(outputs[alias]))
    return response


def _awaited(future, seconds):
    try:
        return future.result(seconds)
    except concurrent.futures.CancelledError as error:
        raise RequestError(StatusCode.CANCELLED, "the caller has gone") from error
    except TimeoutError as error:
        future.cancel()
        raise RequestError(
            StatusCode.DEADLINE_EXCEEDED, f"no answer within {seconds:.3g} seconds"
        ) from error
    finally:
        # The exception's traceback holds this frame, which holds the future and so the exception.
        del future
