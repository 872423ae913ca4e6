"""TensorProto messages, by TensorFlow's own reading of them."""

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2

from nfl_keras.serving.server.serving_error import ServingError
from nfl_keras.serving.server.signature import to_array, to_proto

NUMBERS = ["float16", "float32", "float64", "bool"] + [
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
]


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_numbers_go_there_and_back(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    proto = to_proto(array)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array, strict=True)
    np.testing.assert_array_equal(to_array(proto, "x", 1000), array, strict=True)
    content = tf.make_tensor_proto(array)
    np.testing.assert_array_equal(to_array(content, "x", 1000), array, strict=True)


def test_bytes_go_there_and_back():
    array = np.array([[b"a\0", b""], [b"\xff\0\0", b"d"]], object)
    proto = to_proto(array)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)
    np.testing.assert_array_equal(to_array(proto, "x", 1000), array, strict=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dtype: DT_FLOAT tensor_shape { unknown_rank: true }", "not fully known"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: -1 } }", "not fully known"),
        ("dtype: DT_STRING tensor_shape { dim { size: 2 } } string_val: 'a'", "2 strings"),
        ("dtype: DT_STRING tensor_shape { dim { size: 99999999 } } string_val: 'a'", "strings"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: '1234'", "4 bytes"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: [1, 2]", "x"),
        ("dtype: DT_UINT8 tensor_shape { dim { size: 1 } } int_val: 300", "x"),
    ],
)
def test_values_that_do_not_fit_are_refused(text, words):
    from google.protobuf import text_format

    proto = text_format.Parse(text, tensor_pb2.TensorProto())
    with pytest.raises(ServingError, match=words) as refused:
        to_array(proto, "x", 1000)
    assert refused.value.code == StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("sizes", [[251], [10, 26], [2**31, 2**31, 2**31, 2**31, 2**31]])
def test_memory_is_not_asked_for_on_a_message_s_word(sizes):
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1.0])
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    with pytest.raises(ServingError, match="larger than max") as refused:
        to_array(proto, "x", 1000)
    assert refused.value.code == StatusCode.RESOURCE_EXHAUSTED
