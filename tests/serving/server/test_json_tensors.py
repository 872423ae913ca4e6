"""The JSON of the REST route."""

import base64
import json

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf import meta_graph_pb2

from nfl_keras.serving.server.json_tensors import from_arrays, parse, to_protos
from nfl_keras.serving.server.serving_error import ServingError
from nfl_keras.serving.server.signature import Signature


def _signature(**dtypes):
    definition = meta_graph_pb2.SignatureDef()
    for name, dtype in dtypes.items():
        definition.inputs[name].dtype = tf.as_dtype(dtype).as_datatype_enum
        definition.inputs[name].tensor_shape.dim.add(size=-1)
    return Signature("serving_default", definition)


def _arrays(text, **dtypes):
    protos = to_protos(parse(text), _signature(**dtypes))
    return {alias: tf.make_ndarray(proto) for alias, proto in protos.items()}


def test_rows_are_values_or_objects():
    (array,) = _arrays('{"instances": [[1, 2.5], [3, NaN]]}', x="float32").values()
    np.testing.assert_array_equal(array, np.array([[1, 2.5], [3, np.nan]], "float32"), strict=True)
    both = _arrays('{"instances": [{"x": 1, "y": [2]}, {"y": [3], "x": 4}]}', x="int32", y="int64")
    np.testing.assert_array_equal(both["x"], np.array([1, 4], "int32"), strict=True)
    np.testing.assert_array_equal(both["y"], np.array([[2], [3]]), strict=True)


def test_columns_are_a_value_or_an_object():
    assert _arrays('{"inputs": [true, false]}', x="bool")["x"].tolist() == [True, False]
    assert _arrays('{"inputs": {"x": [1.5]}}', x="float64")["x"].tolist() == [1.5]


@pytest.mark.parametrize("shape", ['{"instances": [%s, "é"]}', '{"inputs": [%s, "é"]}'])
def test_bytes_come_as_base64(shape):
    content = b"\xff\xd8\0\0"
    encoded = json.dumps({"b64": base64.b64encode(content).decode()})
    assert _arrays(shape % encoded, x="string")["x"].tolist() == [content, "é".encode()]
    named = f'{{"instances": [{{"x": {encoded}}}]}}'
    assert _arrays(named, x="string")["x"].tolist() == [content]


@pytest.mark.parametrize(
    ("encoded", "content"),
    [
        ("", b""),
        ("/9j/", b"\xff\xd8\xff"),
        ("/9j/AA==", b"\xff\xd8\xff\0"),
        ("/9j/AA", b"\xff\xd8\xff\0"),
        ("/9j/AAA", b"\xff\xd8\xff\0\0"),
        ("/9j/AAA.", b"\xff\xd8\xff\0\0"),
        ("/9j/\n", b"\xff\xd8\xff"),
        ("/9\r\nj/A\r\nA", b"\xff\xd8\xff\0"),
        (" /\t9j/\v\fAA = = ", b"\xff\xd8\xff\0"),
        # The bits that no byte needs are not looked at.
        ("/9j/AB==", b"\xff\xd8\xff\0"),
        ("A", None),
        ("/9j/A", None),
        ("/9j/AA=", None),
        ("/9j/AA===", None),
        ("/9j/AAA==", None),
        ("/9j/=", None),
        ("/9j/AA==AAAA", None),
        ("AA==/9j/", None),
        ("_9j_", None),
        ("-9j/", None),
        ("/9j/\0", None),
        ("/9j/\u00a0", None),
        ("/9j/\u2003", None),
        ("/9j/\x1c", None),
        ("\ud800", None),
    ],
)
def test_base64_is_read_as_tf_serving_reads_it(encoded, content):
    text = json.dumps({"instances": [{"b64": encoded}]})
    if content is not None:
        assert _arrays(text, x="string")["x"].tolist() == [content]
        return
    with pytest.raises(ServingError) as failure:
        _arrays(text, x="string")
    assert failure.value.code == StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"instances": [1], "inputs": [1]}',
        '{"signature_name": "x"}',
        '{"signature_name": 7, "inputs": [1]}',
        '{"inputs": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_request_is_refused(text):
    with pytest.raises(ServingError) as refused:
        parse(text.encode())
    assert refused.value.code == StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ('{"instances": []}', "float32"),
        ('{"instances": {"a": 1}}', "float32"),
        ('{"instances": [[1], [1, 2]]}', "float32"),
        ('{"instances": ["a"]}', "float32"),
        ('{"instances": [null]}', "float32"),
        ('{"instances": [1e39]}', "float32"),
        ('{"instances": [1.5]}', "int32"),
        ('{"instances": [3000000000]}', "int32"),
        ('{"instances": [99999999999999999999999]}', "int64"),
        ('{"instances": [1]}', "bool"),
        ('{"instances": [1]}', "string"),
        ('{"instances": [{"b64": "?"}]}', "string"),
        ('{"instances": [{"b64": 1}]}', "string"),
        ('{"instances": [["a"], "b"]}', "string"),
        ('{"instances": [{"y": 1}]}', "float32"),
        ('{"instances": [{"x": 1}, 2]}', "float32"),
        ('{"inputs": {"y": 1}}', "float32"),
        ('{"inputs": ' + "[" * 100 + "1" + "]" * 100 + "}", "float32"),
    ],
)
def test_values_that_are_not_the_input_s_are_refused(text, dtype):
    with pytest.raises(ServingError) as refused:
        _arrays(text, x=dtype)
    assert refused.value.code == StatusCode.INVALID_ARGUMENT
    assert "\n" not in refused.value.message


def test_several_inputs_must_be_named():
    for text in ('{"instances": [1]}', '{"inputs": [1]}'):
        with pytest.raises(ServingError, match="object with x,y"):
            _arrays(text, x="int32", y="int32")


def test_answers_are_rows_or_columns():
    vectors = np.array([[0.1, 1e-20], [np.nan, 3]], "float32")
    status = np.array([0, 4], "int32")
    both = {"embedding": vectors, "status": status}
    assert from_arrays(both, by_rows=True) == (
        '{"predictions": [{"embedding": [0.1, 1e-20], "status": 0}, '
        '{"embedding": [NaN, 3.0], "status": 4}]}'
    )
    assert from_arrays(both, by_rows=False) == (
        '{"outputs": {"embedding": [[0.1, 1e-20], [NaN, 3.0]], "status": [0, 4]}}'
    )
    assert from_arrays({"status": status}, by_rows=True) == '{"predictions": [0, 4]}'
    assert from_arrays({"status": status}, by_rows=False) == '{"outputs": [0, 4]}'


def test_bytes_are_answered_as_base64_where_the_name_says_so():
    array = np.array([b"\xff\0"], object)
    assert json.loads(from_arrays({"image_bytes": array}, False)) == {"outputs": [{"b64": "/wA="}]}
    text = np.array(["é".encode()], object)
    assert json.loads(from_arrays({"name": text}, False)) == {"outputs": ["é"]}


def test_outputs_without_common_rows_are_not_answered_by_rows():
    uneven = {"a": np.zeros(2), "b": np.zeros(3)}
    with pytest.raises(ServingError, match="common batch size"):
        from_arrays(uneven, by_rows=True)
    with pytest.raises(ServingError, match="common batch size"):
        from_arrays({"a": np.float32(1).reshape(())}, by_rows=True)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_floats_are_read_back_the_same(size):
    array = np.random.default_rng(0).normal(size=size).astype("float32")
    back = json.loads(from_arrays({"x": array}, by_rows=False))["outputs"]
    np.testing.assert_array_equal(np.array(back, "float32"), array)
