"""Between the JSON of TF Serving's REST route and tensors."""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf
from grpc import StatusCode

from nfl_keras.serving.server.request_error import RequestError

_BYTES_SUFFIX = "_bytes"
_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}


def parse(body):
    """The object of a request's body.

    Args:
        body: bytes.

    Raises:
        RequestError: INVALID_ARGUMENT unless it is a JSON object with either `"instances"` or
            `"inputs"`, and any `"signature_name"` a string.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise _invalid("JSON Value: Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise _invalid("'signature_name' key must be a string value.")
    if ("instances" in document) == ("inputs" in document):
        raise _invalid("expecting exactly one of the keys 'inputs' and 'instances'")
    return document


def to_protos(document, signature):
    """The inputs of a request.

    Args:
        document: dict from `parse`.
        signature: `Signature`.

    Returns:
        Dict from the name of each input to its `TensorProto`.

    Raises:
        RequestError: INVALID_ARGUMENT for values that are not those of the inputs.
    """
    by_name = (
        _by_rows(document, signature)
        if "instances" in document
        else _by_columns(document["inputs"], signature)
    )
    protos = {}
    for alias, values in by_name.items():
        dtype = tf.as_dtype(signature.inputs[alias].dtype)
        try:
            array = _strings(values) if dtype == tf.string else _numbers(values, dtype)
            protos[alias] = tf.make_tensor_proto(array, dtype)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            message = f"input {alias} is not a regular list of {dtype.name}: {error}"
            raise _invalid(message) from error
    return protos


def from_arrays(arrays, by_rows):
    """The body of an answer.

    Args:
        arrays: Dict from the name of each output to its array.
        by_rows: Whether the request had `"instances"`: one value or object per row then, else one
            per output.

    Returns:
        str. JSON; floats as short as they are read back the same, bytes of outputs named
        `..._bytes` as `{"b64": ...}`.

    Raises:
        RequestError: INVALID_ARGUMENT for rows where the outputs do not have the same number.
    """
    columns = {alias: _listed(array, alias) for alias, array in arrays.items()}
    if not by_rows:
        only = next(iter(columns.values())) if len(columns) == 1 else columns
        return json.dumps({"outputs": only})
    if not all(array.ndim for array in arrays.values()) or len(set(map(len, arrays.values()))) > 1:
        raise _invalid("the outputs have no common batch size; ask with 'inputs'")
    if len(columns) == 1:
        return json.dumps({"predictions": next(iter(columns.values()))})
    rows = zip(*columns.values(), strict=True)
    return json.dumps({"predictions": [dict(zip(columns, row, strict=True)) for row in rows]})


def _by_rows(document, signature):
    instances = document["instances"]
    if not isinstance(instances, list) or not instances:
        raise _invalid("'instances' must be a list of at least one value")
    named = [isinstance(instance, dict) and set(instance) != {"b64"} for instance in instances]
    if not any(named):
        if len(signature.inputs) > 1:
            raise _invalid(f"each instance must be an object with {','.join(signature.inputs)}")
        return {next(iter(signature.inputs)): instances}
    for position, instance in enumerate(instances):
        if not named[position] or set(instance) != set(signature.inputs):
            raise _invalid(
                f"Failed to process element: {position} of 'instances' list. keys must be equal "
                f"to: {','.join(signature.inputs)}"
            )
    return {alias: [instance[alias] for instance in instances] for alias in signature.inputs}


def _by_columns(inputs, signature):
    if not isinstance(inputs, dict) or set(inputs) == {"b64"}:
        if len(signature.inputs) > 1:
            raise _invalid(f"inputs must be an object with {','.join(signature.inputs)}")
        return {next(iter(signature.inputs)): inputs}
    for alias in signature.inputs:
        if alias not in inputs:
            raise _invalid(f"Missing named input: {alias} in 'inputs' object.")
    return {alias: inputs[alias] for alias in signature.inputs}


def _numbers(values, dtype):
    array = np.asarray(values)
    target = np.dtype(dtype.as_numpy_dtype)
    if array.dtype.kind not in _KINDS.get(target.kind, ""):
        raise TypeError(f"{array.dtype} given")
    with np.errstate(over="ignore"):
        cast = array.astype(target)
    kept = np.isfinite(cast) == np.isfinite(array) if target.kind == "f" else cast == array
    if not np.all(kept):
        raise OverflowError("a value does not fit")
    return cast


def _strings(values):
    if isinstance(values, list):
        return [_strings(value) for value in values]
    if isinstance(values, str):
        return values.encode()
    if isinstance(values, dict) and set(values) == {"b64"} and isinstance(values["b64"], str):
        try:
            return base64.b64decode(values["b64"], validate=True)
        except binascii.Error as error:
            raise ValueError("Unable to base64 decode") from error
    raise TypeError(f"{type(values).__name__} given")


def _listed(array, alias):
    if array.dtype.kind == "f":
        # By way of their own text: as doubles, float32 would show digits they do not have.
        texts = array.astype(str).astype(object)
        return (
            np.vectorize(float, otypes=[object])(texts).tolist() if array.size else array.tolist()
        )
    if array.dtype != object:
        return array.tolist()
    as_bytes = alias.endswith(_BYTES_SUFFIX)
    flat = np.empty(array.size, object)
    flat[:] = [_text(value, as_bytes) for value in array.ravel()]
    return flat.reshape(array.shape).tolist()


def _text(value, as_bytes):
    if as_bytes:
        return {"b64": base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")


def _invalid(message):
    return RequestError(StatusCode.INVALID_ARGUMENT, message)
