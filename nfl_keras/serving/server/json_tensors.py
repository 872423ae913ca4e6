"""Converts between the JSON of TF Serving's REST API and tensors, or raises INVALID_ARGUMENT."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from nfl_keras.serving.server.serving_error import invalid
from nfl_keras.serving.server.signature import Protos, Signature

_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}


def parse(body: bytes) -> dict[str, Any]:
    """Parses the body of a request: a JSON object with either `"instances"` or `"inputs"`."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid("JSON Value: Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid("'signature_name' key must be a string value.")
    if ("instances" in document) == ("inputs" in document):
        raise invalid("expecting exactly one of the keys 'inputs' and 'instances'")
    return document


def to_protos(document: Mapping[str, Any], signature: Signature) -> Protos:
    """Converts a document of `parse` into the inputs of a signature, if the values fit them."""
    protos = {}
    for alias, values in _inputs(document, signature).items():
        dtype = tf.as_dtype(signature.inputs[alias].dtype)
        try:
            array = _strings(values) if dtype == tf.string else _numbers(values, dtype)
            protos[alias] = tf.make_tensor_proto(array, dtype)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            message = f"input {alias} is not a regular list of {dtype.name}: {error}"
            raise invalid(message) from error
    return protos


def from_arrays(arrays: Mapping[str, np.ndarray], by_rows: bool) -> str:
    """Converts output arrays into the body of an answer, by rows if it had `"instances"`.

    Floats have as few digits as give the same value again. Bytes are `{"b64": ...}` in outputs
    named `..._bytes`.
    """
    columns = {alias: _listed(array, alias.endswith("_bytes")) for alias, array in arrays.items()}
    single = next(iter(columns.values())) if len(columns) == 1 else None
    if not by_rows:
        return json.dumps({"outputs": columns if single is None else single})
    if not all(array.ndim for array in arrays.values()) or len(set(map(len, arrays.values()))) > 1:
        raise invalid("the outputs have no common batch size; ask with 'inputs'")
    if single is not None:
        return json.dumps({"predictions": single})
    rows = zip(*columns.values(), strict=True)
    return json.dumps({"predictions": [dict(zip(columns, row, strict=True)) for row in rows]})


def _inputs(document: Mapping[str, Any], signature: Signature) -> dict[str, Any]:
    """Returns the values of each input, from rows (`"instances"`) or columns (`"inputs"`)."""
    names = ",".join(signature.inputs)
    values = document["inputs" if "inputs" in document else "instances"]
    if "inputs" in document:
        if _is_named(values):
            for alias in signature.inputs:
                if alias not in values:
                    raise invalid(f"Missing named input: {alias} in 'inputs' object.")
            return {alias: values[alias] for alias in signature.inputs}
    elif not isinstance(values, list) or not values:
        raise invalid("'instances' must be a list of at least one value")
    elif any(map(_is_named, values)):
        for position, row in enumerate(values):
            if not _is_named(row) or set(row) != set(signature.inputs):
                element = f"Failed to process element: {position} of 'instances' list."
                raise invalid(f"{element} keys must be equal to: {names}")
        return {alias: [row[alias] for row in values] for alias in signature.inputs}
    if len(signature.inputs) > 1:
        raise invalid(f"the values must be in an object with {names}")
    return dict.fromkeys(signature.inputs, values)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and set(value) != {"b64"}


def _numbers(values: Any, dtype: tf.DType) -> np.ndarray:
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


def _strings(values: Any) -> Any:
    if isinstance(values, list):
        return [_strings(value) for value in values]
    if isinstance(values, str):
        return values.encode()
    if isinstance(values, dict) and set(values) == {"b64"} and isinstance(values["b64"], str):
        return _from_base64(values["b64"])
    raise TypeError(f"{type(values).__name__} given")


def _from_base64(text: str) -> bytes:
    """Decodes base64 as TF Serving does: white space anywhere, padding of `=` or `.`, or none."""
    compact = b"".join(text.encode().split()).replace(b".", b"=")
    content = compact.rstrip(b"=")
    padded = content + b"=" * (-len(content) % 4)
    try:
        if compact in (content, padded):
            return base64.b64decode(padded, validate=True)
    except binascii.Error:
        pass
    raise ValueError("Unable to base64 decode")


def _listed(array: np.ndarray, is_bytes: bool) -> Any:
    if array.dtype.kind == "f":
        # As doubles, float32 values would show digits that they do not have; their text does not.
        return array.astype(str).astype(float).tolist()
    if array.dtype == object:
        return np.vectorize(_string, otypes=[object])(array, is_bytes).tolist()
    return array.tolist()


def _string(value: bytes, is_bytes: bool) -> Any:
    text = base64.b64encode(value).decode() if is_bytes else value.decode("utf-8", "replace")
    return {"b64": text} if is_bytes else text
