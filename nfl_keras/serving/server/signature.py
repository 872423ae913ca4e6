"""Defines `Signature`, which checks requests, and converts tensors without trusting them."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits

Protos: TypeAlias = Mapping[str, tensor_pb2.TensorProto]

_FIELDS = {
    "string": "string_val",
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    **dict.fromkeys(("int8", "int16", "int32", "uint8"), "int_val"),
}


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
                hint = f"Outputs expected to be in the set {{{','.join(self.outputs)}}}."
                raise invalid(f"output tensor alias not found in signature: {alias[:100]} {hint}")
            if alias in output_filter[:position]:
                raise invalid(f"duplicate output tensor alias: {alias}")
        return list(output_filter) or self.outputs

    def read_inputs(self, protos: Protos, limits: Limits) -> tuple[dict[str, np.ndarray], int]:
        """Checks and reads the inputs of a request; returns arrays and their number of rows."""
        self._check_names(protos)
        for alias, spec in self.inputs.items():
            try:
                given = _spec(protos[alias])
            except (TypeError, ValueError) as error:
                raise invalid(f"input {alias} is no tensor: {error}") from error
            if not given.shape.is_fully_defined() or not spec.is_compatible_with(given):
                types = f"{spec.dtype.name} {spec.shape} but is {given.dtype.name} {given.shape}"
                raise invalid(f"input {alias} of signature {self.name} must be {types}")
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
            message = f"{count} rows in one request, larger than max ({limits.max_request_rows})"
            raise ServingError(StatusCode.RESOURCE_EXHAUSTED, message)
        return count


def to_array(proto: tensor_pb2.TensorProto, name: str, max_bytes: int) -> np.ndarray:
    """Reads the array that a `TensorProto` of a request holds.

    A message of a few bytes may declare a tensor of any size and give its first value alone. The
    declared size is therefore checked before memory is allocated.
    """
    shape = [dimension.size for dimension in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise _unreadable(name, "its shape is not fully known")
    elements = math.prod(shape)
    dtype = tf.as_dtype(proto.dtype)
    if dtype == tf.string:
        if len(proto.string_val) != elements:
            raise _unreadable(name, f"{elements} strings declared, {len(proto.string_val)} sent")
        array = np.empty(elements, object)
        array[:] = proto.string_val
        return array.reshape(shape)
    size = elements * dtype.size
    if size > max_bytes:
        message = f"input {name} declares {size} bytes, larger than max ({max_bytes})"
        raise ServingError(StatusCode.RESOURCE_EXHAUSTED, message)
    if proto.tensor_content:
        if len(proto.tensor_content) != size:
            raise _unreadable(name, f"{len(proto.tensor_content)} bytes for the shape {shape}")
        return np.frombuffer(proto.tensor_content, dtype.as_numpy_dtype).reshape(shape)
    try:
        return tf.make_ndarray(proto)
    except (ValueError, TypeError, OverflowError) as error:
        raise _unreadable(name, str(error)) from error


def to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    """Writes an array of numbers, or of `bytes` objects, into the fields that TF Serving fills."""
    dtype = tf.as_dtype(array.dtype)
    if dtype.name not in _FIELDS:
        return tf.make_tensor_proto(array)
    shape = tf.TensorShape(array.shape).as_proto()
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape)
    getattr(proto, _FIELDS[dtype.name]).extend(array.ravel().tolist())
    return proto


def _spec(described: meta_graph_pb2.TensorInfo | tensor_pb2.TensorProto) -> tf.TensorSpec:
    # A composite tensor has no dtype. As a variant it fits no request.
    return tf.TensorSpec(tf.TensorShape(described.tensor_shape), described.dtype or tf.variant)


def _unreadable(name: str, why: str) -> ServingError:
    return invalid(f"tensor parsing error: {name}: {why}")
