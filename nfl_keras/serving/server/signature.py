"""Defines `Signature`, which checks requests against the inputs and outputs of a model."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.tensors import to_array

Protos: TypeAlias = Mapping[str, tensor_pb2.TensorProto]


class Signature:
    """A signature of a model, with the `tf.TensorSpec` of each input, and the names of its outputs.

    It is `batched` if each of them has a row per example, so that requests can be merged and split.
    """

    def __init__(self, name: str, definition: meta_graph_pb2.SignatureDef) -> None:
        self.name = name
        self.inputs = {a: _spec(info) for a, info in sorted(definition.inputs.items())}
        self.outputs = sorted(definition.outputs)
        outputs = [_spec(info) for info in definition.outputs.values()]
        shapes = [spec.shape for spec in (*self.inputs.values(), *outputs)]
        self.batched = bool(self.inputs) and all(s.rank and s[0] is None for s in shapes)

    def select_outputs(self, output_filter: Sequence[str]) -> list[str]:
        """Returns the names of the outputs that a request asks for; an empty filter means all."""
        for position, alias in enumerate(output_filter):
            if alias not in self.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {alias[:100]} Outputs expected "
                    f"to be in the set {{{','.join(self.outputs)}}}."
                )
            if alias in output_filter[:position]:
                raise invalid(f"duplicate output tensor alias: {alias}")
        return list(output_filter) or self.outputs

    def read_inputs(self, protos: Protos, limits: Limits) -> tuple[dict[str, np.ndarray], int]:
        """Checks and reads the inputs of a request; returns arrays and their number of rows.

        Raises:
            ServingError: RESOURCE_EXHAUSTED for too many rows or bytes, else INVALID_ARGUMENT.
        """
        self._check_names(protos)
        for alias, spec in self.inputs.items():
            try:
                given = _spec(protos[alias])
            except (TypeError, ValueError) as error:
                raise invalid(f"input {alias} is no tensor: {error}") from error
            if not given.shape.is_fully_defined() or not spec.is_compatible_with(given):
                raise invalid(
                    f"input {alias} of signature {self.name} must be {spec.dtype.name} "
                    f"{spec.shape} but is {given.dtype.name} {given.shape}"
                )
        rows = self._count_rows(protos, limits) if self.batched else 1
        most = limits.max_message_bytes
        return {alias: to_array(protos[alias], alias, most) for alias in self.inputs}, rows

    def _check_names(self, protos: Protos) -> None:
        extra = sorted(set(protos) - set(self.inputs))
        missing = sorted(set(self.inputs) - set(protos))
        if extra or missing:
            shown = ",".join(name[:100] for name in extra[:10])
            raise invalid(
                f"input size does not match signature: {len(protos)}!={len(self.inputs)}. "
                f"Sent extra: {{{shown}}}. Missing but required: {{{','.join(missing)}}}."
            )

    def _count_rows(self, protos: Protos, limits: Limits) -> int:
        rows = {alias: protos[alias].tensor_shape.dim[0].size for alias in self.inputs}
        if len(set(rows.values())) > 1:
            raise invalid(f"input tensors must have equal 0th-dimension size, not {rows}")
        alias, count = next(iter(rows.items()))
        if not count:
            raise invalid(f"input {alias} holds no rows")
        if count > limits.max_request_rows:
            raise ServingError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"{count} rows in one request, larger than max ({limits.max_request_rows})",
            )
        return count


def _spec(described: meta_graph_pb2.TensorInfo | tensor_pb2.TensorProto) -> tf.TensorSpec:
    # A composite tensor has no dtype. As a variant it fits no request.
    return tf.TensorSpec(tf.TensorShape(described.tensor_shape), described.dtype or tf.variant)
