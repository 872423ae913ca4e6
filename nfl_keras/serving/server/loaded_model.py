"""Defines `LoadedModel`, a SavedModel in memory."""

import gc
import logging
import pathlib
import weakref
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import predict_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving.server.batcher import Arrays
from nfl_keras.serving.server.serving_error import ServingError, from_tensorflow
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.signature import Signature
from nfl_keras.serving.server.tensors import to_proto

DEFAULT_SIGNATURE = "serving_default"
_TAG = "serve"
_log = logging.getLogger(__name__)
_released: list[pathlib.Path] = []

SignatureRun: TypeAlias = Callable[[Signature, Arrays, int], Arrays]


class LoadedModel:
    """The SavedModel in a folder, with its `signatures` by name.

    Raises:
        UserError: if it cannot be loaded, whatever TensorFlow raises on a damaged one.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.signature_defs = _read_signature_defs(path / "saved_model.pb")
        try:
            # The variables live as long as the root, so it is kept beside the functions.
            self._root = tf.saved_model.load(str(path), tags=[_TAG])
            self._functions = dict(self._root.signatures)
            self.signatures = {
                name: Signature(name, self.signature_defs[name]) for name in self._functions
            }
        except Exception as error:
            raise UserError(f"{path} cannot be loaded: {_first_line(error)}") from error
        if not self.signatures:
            raise UserError(f"{path} has no signature; export it with nfl.export_model.")
        weakref.finalize(self, _released.append, path)

    def run(self, signature: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """Runs the signature of this name; inputs and outputs are dicts from name to array."""
        inputs = {alias: tf.constant(array) for alias, array in arrays.items()}
        outputs = self._functions[signature](**inputs)
        return {alias: output.numpy() for alias, output in outputs.items()}

    def predict(
        self, request: predict_pb2.PredictRequest, limits: Limits, run: SignatureRun | None = None
    ) -> predict_pb2.PredictResponse:
        """Answers a request by one of the signatures; the model that it names is not read.

        `run` takes a `Signature`, arrays and their number of rows, and returns output arrays. By
        default the signature runs at once.
        """
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise ServingError(
                StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        signature = self.signatures[name]
        selected = signature.select_outputs(request.output_filter)
        arrays, rows = signature.read_inputs(request.inputs, limits)
        outputs = (run or self._run_at_once)(signature, arrays, rows)
        response = predict_pb2.PredictResponse()
        for alias in selected:
            response.outputs[alias].CopyFrom(to_proto(outputs[alias]))
        response.model_spec.signature_name = name
        return response

    def _run_at_once(self, signature: Signature, arrays: Arrays, rows: int) -> Arrays:
        try:
            return self.run(signature.name, arrays)
        except Exception as error:
            raise from_tensorflow(error) from error


def collect_released() -> None:
    """Frees the memory of models that were dropped: TensorFlow keeps parts of them in cycles."""
    if _released:
        gc.collect()
    while _released:
        _log.info("%s is released", _released.pop())


def _read_signature_defs(file: pathlib.Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    try:
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        raise UserError(f"{file} cannot be read: {_first_line(error)}") from error
    for graph in saved.meta_graphs:
        if _TAG in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise UserError(f"{file} has no graph with the tag {_TAG!r}.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
