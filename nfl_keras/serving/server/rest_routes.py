"""The REST routes of TF Serving, and Prometheus' page."""

import json
import re
import urllib.parse

import tensorflow as tf
from google.protobuf import json_format
from grpc import StatusCode
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from nfl_keras.serving.server import json_tensors, metrics, model_info
from nfl_keras.serving.server.predictor import DEFAULT_SIGNATURE
from nfl_keras.serving.server.request_error import RequestError

_MODEL = (
    r"(?i:/v1/models/)(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
)
_ACTION = re.compile(_MODEL + r":(?P<action>predict|classify|regress)")
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?")
_JSON = "application/json"
_TEXT = "text/plain; version=0.0.4"

HTTP_CODES = {
    StatusCode.OK: 200,
    StatusCode.CANCELLED: 499,
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.DEADLINE_EXCEEDED: 504,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.FAILED_PRECONDITION: 400,
    StatusCode.ABORTED: 409,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
}


class RestRoutes:
    """Answers a method and path.

    Args:
        predictor: `Predictor`.
        models: `Models`.
        collected: `Metrics`.
        gate: `Gate` for predictions.
        seconds: float. How long a prediction may take.
    """

    def __init__(self, predictor, models, collected, gate, seconds):
        self._predictor = predictor
        self._models = models
        self._metrics = collected
        self._gate = gate
        self._seconds = seconds

    def answer(self, method, path, read_body):
        """Answers one request.

        Args:
            method: str, `"GET"` or `"POST"`.
            path: str.
            read_body: Function without arguments to the body, called only where one is wanted.

        Returns:
            Content type and text.

        Raises:
            RequestError: for whatever keeps it from being answered.
        """
        if method == "GET" and path == metrics.PATH:
            return _TEXT, self._metrics.text()
        if method == "GET" and (found := _STATUS.fullmatch(path)):
            answer = self._metadata if found["metadata"] else self._status
            return _JSON, answer(_spec(found))
        if method == "POST" and (found := _ACTION.fullmatch(path)):
            if found["action"] != "predict":
                raise RequestError(StatusCode.UNIMPLEMENTED, f"{found['action']} is not served")
            with self._gate.entered():
                return _JSON, self._predict(_spec(found), read_body())
        if path.lower().startswith("/v1/"):
            message = f"Malformed request: {method} {path}"
            raise RequestError(StatusCode.INVALID_ARGUMENT, message)
        raise RequestError(StatusCode.NOT_FOUND, f"Not Found: {path}")

    def _predict(self, spec, body):
        document = json_tensors.parse(body)
        name = document.get("signature_name") or DEFAULT_SIGNATURE
        with self._models.leased(spec) as version:
            if name not in version.loaded.signatures:
                raise RequestError(
                    StatusCode.INVALID_ARGUMENT,
                    f'Serving signature name: "{name}" not found in signature def',
                )
            protos = json_tensors.to_protos(document, version.loaded.signatures[name])
            # The version is named, lest a new one, with other inputs, take over in between.
            spec = model_pb2.ModelSpec(name=spec.name, signature_name=name)
            spec.version.value = version.number
            request = predict_pb2.PredictRequest(model_spec=spec, inputs=protos)
            response = self._predictor.predict(request, "REST", self._seconds)
        arrays = {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}
        return json_tensors.from_arrays(dict(sorted(arrays.items())), "instances" in document)

    def _status(self, spec):
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        return json_format.MessageToJson(
            model_info.status(self._models, request), always_print_fields_with_no_presence=True
        )

    def _metadata(self, spec):
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        )
        response = model_info.metadata(self._models, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        spec_and_signatures = {
            "model_spec": _as_dict(response.model_spec),
            "metadata": {"signature_def": _as_dict(signatures)},
        }
        return json.dumps(spec_and_signatures, indent=1)


def error_body(message):
    """The JSON of a failure."""
    return json.dumps({"error": message})


def _spec(found):
    spec = model_pb2.ModelSpec(name=urllib.parse.unquote(found["name"]))
    if found["version"]:
        number = int(found["version"][:20])
        if number >= 2**63:
            message = f"Failed to convert version: {found['version']} to numeric."
            raise RequestError(StatusCode.INVALID_ARGUMENT, message)
        spec.version.value = number
    if found["label"]:
        spec.version_label = urllib.parse.unquote(found["label"])
    return spec


def _as_dict(message):
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
