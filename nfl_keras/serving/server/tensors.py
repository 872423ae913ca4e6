"""Converts between `TensorProto` messages and arrays, without trusting what a message declares."""

import math

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2

from nfl_keras.serving.server.serving_error import ServingError, invalid

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


def to_array(proto: tensor_pb2.TensorProto, name: str, max_bytes: int) -> np.ndarray:
    """Reads the array that a `TensorProto` of a request holds.

    A message of a few bytes may declare a tensor of any size and give its first value alone. The
    declared size is therefore checked before memory is allocated. `name` is for messages, and
    strings become `bytes` objects.

    Raises:
        ServingError: INVALID_ARGUMENT if the values do not fit the shape, RESOURCE_EXHAUSTED if
            the tensor is too large.
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
        raise ServingError(
            StatusCode.RESOURCE_EXHAUSTED,
            f"input {name} declares {size} bytes, larger than max ({max_bytes})",
        )
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


def _unreadable(name: str, why: str) -> ServingError:
    return invalid(f"tensor parsing error: {name}: {why}")
