"""Defines how a batch of images is embedded by requests, and how the answers are joined."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from nfl_keras.data.decoding.encoded_bytes import checked_pixels, encoded_bytes
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.errors import UserError
from nfl_keras.servable.status import MESSAGES, NO_DIRECTION, OK
from nfl_keras.serving.client.calls import CallError, Calls, MessageTooLargeError
from nfl_keras.serving.client.embedding_result import EmbeddingResult


@dataclasses.dataclass(frozen=True)
class Form:
    """The form in which images are sent, with the signature's input and outputs.

    `prepare` maps an image to the `bytes` or array to send, or raises a `PhotographError`.
    """

    input: str
    outputs: tuple[str, ...]
    prepare: Callable[[Any], Any]

    def request(self, spec: ModelSpec, buffers: list) -> PredictRequest:
        """Makes a request of the model and signature in `spec`."""
        values = buffers if isinstance(buffers[0], bytes) else np.stack(buffers)
        inputs = {self.input: tf.make_tensor_proto(values)}
        return PredictRequest(model_spec=spec, inputs=inputs, output_filter=self.outputs)


PHOTOGRAPHS = Form("images", ("embedding", "status"), encoded_bytes)
PIXELS = Form("pixels", ("embedding",), checked_pixels)


def embed_batch(
    form: Form, spec: ModelSpec, predict: Any, calls: Calls, request_bytes: int, images: Sequence
) -> tuple[list, set[int]]:
    """Prepares a batch, sends it by the stub's method `predict`, and reads the answers.

    An image fails alone if it cannot be sent, if the server cannot embed it, or if it is too large
    a message for the server by itself. A request has more than `request_bytes` only if it has a
    single image.

    Returns:
        `(rows, versions)`: of each image the embedding, float32 `[D]`, or the reason why it has
        none, a str; and the model versions that answered.
    """
    rows: list = [str(calls.failure)] * len(images)
    versions: set[int] = set()
    if calls.failure:
        return rows, versions
    buffers = {}
    for position, image in enumerate(images):
        try:
            buffers[position] = form.prepare(image)
        except PhotographError as error:
            rows[position] = error.reason
    waiting = _packed(buffers, request_bytes)
    while waiting:
        positions = waiting.pop()
        request = form.request(spec, [buffers[position] for position in positions])
        try:
            response = calls.send(predict, request)
            answers = _rows(response, len(positions), "status" in form.outputs)
            if response.model_spec.HasField("version"):
                versions.add(response.model_spec.version.value)
        except MessageTooLargeError as error:
            half = len(positions) // 2
            if half:
                waiting += [positions[:half], positions[half:]]
                continue
            answers = [str(error)]
        except CallError as error:
            answers = [str(calls.give_up(error))] * len(positions)
        for position, row in zip(positions, answers, strict=True):
            rows[position] = row
    return rows, versions


def joined(rows: Sequence, versions: Iterable[int], declared_width: int) -> EmbeddingResult:
    """Joins the answers to all batches. Without an embedding, the width is the declared one."""
    versions = tuple(sorted(versions))
    failed = {index: row for index, row in enumerate(rows) if isinstance(row, str)}
    widths = {len(row) for row in rows if not isinstance(row, str)} or {declared_width}
    if len(widths) > 1:
        raise UserError(
            f"the embeddings have {' and '.join(map(str, sorted(widths)))} dimensions: the server "
            f"changed to another model meanwhile (versions {versions}); embed again."
        )
    embeddings = np.zeros((len(rows), *widths), np.float32)
    for index, row in enumerate(rows):
        if index not in failed:
            embeddings[index] = row
    return EmbeddingResult(embeddings, failed, versions)


def _packed(buffers: dict[int, Any], request_bytes: int) -> list[list[int]]:
    groups: list[list[int]] = []
    filled = 0
    for position, buffer in buffers.items():
        size = memoryview(buffer).nbytes
        if not groups or filled + size > request_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(position)
        filled += size
    return groups


def _rows(response: PredictResponse, count: int, has_status: bool) -> list:
    """Reads the rows of an answer, or raises a `CallError` if it does not fit the request."""
    try:
        arrays = {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}
        embeddings = arrays.get("embedding", np.empty(0)).astype(np.float32, copy=False)
        # Of pixels the server says no status, and a row of zeros is one without a direction.
        statuses = np.where(embeddings.any(axis=-1), OK, NO_DIRECTION)
        if has_status:
            statuses = arrays.get("status", np.empty(0))
        if embeddings.ndim != 2 or len(embeddings) != count or statuses.shape != (count,):
            shapes = {name: array.shape for name, array in arrays.items()}
            raise ValueError(f"{count} images, outputs of shapes {shapes}")
    except (TypeError, ValueError) as error:
        fault = CallError(grpc.StatusCode.INTERNAL, f"the answer does not fit: {error}")
        raise fault from error
    return [
        embedding if status == OK else MESSAGES.get(status, f"status {status}")
        for embedding, status in zip(embeddings, statuses.tolist(), strict=True)
    ]
