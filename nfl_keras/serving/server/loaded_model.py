"""Defines `LoadedModel`, a SavedModel in memory."""

import gc
import logging
import pathlib
import weakref
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving.server.batcher import Arrays
from nfl_keras.serving.server.serving_error import ServingError, from_tensorflow
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.signature import Signature, to_proto

DEFAULT_SIGNATURE = "serving_default"
_TAG = "serve"
_log = logging.getLogger(__name__)
_released: list[pathlib.Path] = []

SignatureRun: TypeAlias = Callable[[Signature, Arrays, int], Arrays]


class LoadedModel:
    """The SavedModel in a folder of a version, with its `number` and its `signatures` by name."""

    def __init__(self, path: pathlib.Path) -> None:
        self.number = int(path.name)
        try:
            # The variables live as long as the root, so it is kept beside the functions.
            self._root = tf.saved_model.load(str(path), tags=[_TAG])
            self._functions = dict(self._root.signatures)
            file = (path / "saved_model.pb").read_bytes()
            graphs = saved_model_pb2.SavedModel.FromString(file).meta_graphs
            (graph,) = (graph for graph in graphs if _TAG in graph.meta_info_def.tags)
            self.signature_defs = dict(graph.signature_def)
            self.signatures = {n: Signature(n, self.signature_defs[n]) for n in self._functions}
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise UserError(f"{path} cannot be loaded: {reason}") from error
        if not self.signatures:
            raise UserError(f"{path} has no signature; export it with nfl.export_model.")
        weakref.finalize(self, _released.append, path)

    def run(self, signature: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """Runs the signature of this name; inputs and outputs are dicts from name to array."""
        try:
            inputs = {alias: tf.constant(array) for alias, array in arrays.items()}
            outputs = self._functions[signature](**inputs)
            return {alias: output.numpy() for alias, output in outputs.items()}
        except Exception as error:
            raise from_tensorflow(error) from error

    def predict(
        self, request: predict_pb2.PredictRequest, limits: Limits, run: SignatureRun | None = None
    ) -> predict_pb2.PredictResponse:
        """Answers a request by one of the signatures, by `run` or else at once.

        The name of the model in the request is not read.
        """
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            message = f'Serving signature key "{name}" not found.'
            raise ServingError(StatusCode.FAILED_PRECONDITION, message)
        signature = self.signatures[name]
        selected = signature.select_outputs(request.output_filter)
        arrays, rows = signature.read_inputs(request.inputs, limits)
        outputs = run(signature, arrays, rows) if run else self.run(name, arrays)
        spec = {"name": request.model_spec.name, "signature_name": name}
        return predict_pb2.PredictResponse(
            model_spec={**spec, "version": {"value": self.number}},
            outputs={alias: to_proto(outputs[alias]) for alias in selected},
        )


def collect_released() -> None:
    """Frees the memory of models that were dropped: TensorFlow keeps parts of them in cycles."""
    if _released:
        gc.collect()
    while _released:
        _log.info("%s is released", _released.pop())
