"""Defines `RestApp`, TF Serving's REST API and Prometheus' page as an ASGI application."""

import asyncio
import concurrent.futures
import contextlib
import json
import logging
import re
import urllib.parse
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from grpc import StatusCode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from nfl_keras.serving.server import json_tensors, metrics
from nfl_keras.serving.server.inflate import inflate
from nfl_keras.serving.server.loaded_model import DEFAULT_SIGNATURE
from nfl_keras.serving.server.services import Services
from nfl_keras.serving.server.serving_error import ServingError, invalid

_log = logging.getLogger(__name__)

_MODEL = (
    r"(?i:/v1/models/)(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
)
_ACTION = re.compile(_MODEL + r":(?P<action>predict|classify|regress)")
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?")
_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}
_LINGER_SECONDS = 2.0
_HTTP_CODES = {
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


class RestApp:
    """An ASGI application that answers TensorFlow Serving's REST API.

    Predictions run in threads; everything else is quick and answered in the event loop.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        most = services.limits.max_concurrent_requests
        self._threads = concurrent.futures.ThreadPoolExecutor(most, "nfl-rest")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except ServingError as error:
            response = _json(error_body(error.message), _HTTP_CODES.get(error.code, 500))
        except asyncio.CancelledError:
            response = _json(error_body("the server is stopping"), 503)
        except Exception as error:
            _log.exception("a REST request failed")
            response = _json(error_body(type(error).__name__), 500)
        has_body = {"content-length", "transfer-encoding"} & set(request.headers)
        if has_body and not hasattr(request.state, "body_is_read"):
            await _send_before_reading(response, request, send)
        else:
            await response(scope, receive, send)

    def close(self) -> None:
        """Lets the threads end once they are idle."""
        self._threads.shutdown(wait=False)

    async def _answer(self, request: Request) -> Response:
        method, path = request.method, request.scope["raw_path"].decode()
        if method not in ("GET", "POST"):
            raise ServingError(StatusCode.UNIMPLEMENTED, f"Unsupported method ('{method}')")
        if request.scope["http_version"] not in ("1.0", "1.1"):
            raise ServingError(StatusCode.UNIMPLEMENTED, "Unsupported version of HTTP")
        if method == "GET" and path == metrics.PATH:
            return Response(self._services.metrics.text(), media_type="text/plain; version=0.0.4")
        if method == "GET" and (found := _STATUS.fullmatch(path)):
            answer = self._metadata if found["metadata"] else self._status
            return _json(answer(_model_spec(found)))
        if method == "POST" and (found := _ACTION.fullmatch(path)):
            if found["action"] != "predict":
                raise ServingError(StatusCode.UNIMPLEMENTED, f"{found['action']} is not served")
            encoding = request.headers.get("content-encoding", "").strip().lower()
            if encoding not in _ENCODINGS:
                message = f"Unsupported Content-Encoding ({encoding!r}): send gzip, or none"
                return _json(error_body(message), 415)
            with self._services.gate:
                body = await self._read(request)
                is_gzip = _ENCODINGS[encoding]
                work = self._threads.submit(self._predict, _model_spec(found), body, is_gzip)
                return _json(await asyncio.wrap_future(work))
        if path.lower().startswith("/v1/"):
            raise invalid(f"Malformed request: {method} {path}")
        raise ServingError(StatusCode.NOT_FOUND, f"Not Found: {path}")

    async def _read(self, request: Request) -> bytes:
        limits = self._services.limits
        body, pieces = bytearray(), request.stream()
        size = int(request.headers.get("content-length", 0))
        try:
            async with asyncio.timeout(limits.max_request_seconds):
                while size <= limits.max_message_bytes:
                    piece = await anext(pieces, None)
                    if piece is None:
                        request.state.body_is_read = True
                        return bytes(body)
                    body += piece
                    size = max(size, len(body))
        except TimeoutError as error:
            message = "the body took too long to come"
            raise ServingError(StatusCode.DEADLINE_EXCEEDED, message) from error
        message = f"a body of {size} bytes, larger than max ({limits.max_message_bytes})"
        raise ServingError(StatusCode.RESOURCE_EXHAUSTED, message)

    def _predict(self, spec: ModelSpec, body: bytes, is_gzip: bool) -> str:
        if is_gzip:
            body = inflate(body, self._services.limits.max_message_bytes)
        document = json_tensors.parse(body)
        name = document.get("signature_name") or DEFAULT_SIGNATURE
        loaded = self._services.models.find_version(spec)
        if name not in loaded.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        protos = json_tensors.to_protos(document, loaded.signatures[name])
        spec = ModelSpec(name=spec.name, signature_name=name)
        request = PredictRequest(model_spec=spec, inputs=protos)
        response = self._services.Predict(request, None, loaded)
        arrays = {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}
        return json_tensors.from_arrays(dict(sorted(arrays.items())), "instances" in document)

    def _status(self, spec: ModelSpec) -> str:
        request = GetModelStatusRequest(model_spec=spec)
        return json.dumps(_as_dict(self._services.GetModelStatus(request, None)), indent=1)

    def _metadata(self, spec: ModelSpec) -> str:
        request = GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
        answer = _as_dict(self._services.GetModelMetadata(request, None))
        del answer["metadata"]["signature_def"]["@type"]
        return json.dumps(answer, indent=1)


def error_body(message: str) -> str:
    """Returns the JSON of a failure."""
    return json.dumps({"error": message})


def _json(text: str, code: int = 200) -> Response:
    return Response(f"{text}\n", code, media_type="application/json")


async def _send_before_reading(response: Response, request: Request, send: Send) -> None:
    """Sends an answer, then discards for a moment what the client still sends.

    Closing a connection with bytes unread would reset it, and the client might lose the answer.
    """
    response.headers["connection"] = "close"
    start = {"status": response.status_code, "headers": response.raw_headers}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_LINGER_SECONDS):
            async for _ in request.stream():
                pass
    await send({"type": "http.response.body"})


def _model_spec(found: re.Match[str]) -> ModelSpec:
    spec = ModelSpec(name=urllib.parse.unquote(found["name"]))
    if found["version"]:
        number = int(found["version"][:20])
        if number >= 2**63:
            raise invalid(f"Failed to convert version: {found['version']} to numeric.")
        spec.version.value = number
    if found["label"]:
        spec.version_label = urllib.parse.unquote(found["label"])
    return spec


def _as_dict(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
