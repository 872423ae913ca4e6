import types

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving.warmup import read_warmup, replay_warmup, write_warmup

PIXELS = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
IMAGES = [b"a\0", b"\xff\0\0"]
INPUTS = [("serving_default", {"images": IMAGES}), ("embed_tensor", {"pixels": PIXELS})]


@pytest.fixture
def calls():
    return []


@pytest.fixture
def loaded(calls):
    """Something like a SavedModel that keeps what it is called with, and takes 2 x 2 pixels."""

    def embed_images(*, images):
        calls.append(images.numpy().tolist())

    def embed_pixels(*, pixels):
        tf.debugging.assert_equal(tf.shape(pixels)[1:], [2, 2, 3])
        calls.append(pixels.numpy())

    signatures = {"serving_default": embed_images, "embed_tensor": embed_pixels}
    return types.SimpleNamespace(signatures=signatures)


def test_requests_are_written_as_tf_serving_reads_them(tmp_path):
    write_warmup(tmp_path, "embedder", INPUTS)
    path = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log"] * 2
    requests = [log.predict_log.request for log in logs]
    assert [request.model_spec.name for request in requests] == ["embedder"] * 2
    images = requests[0].inputs["images"]
    assert images.dtype == tf.string.as_datatype_enum
    assert list(images.string_val) == IMAGES
    np.testing.assert_array_equal(tf.make_ndarray(requests[1].inputs["pixels"]), PIXELS)


def test_requests_are_replayed_in_order(tmp_path, loaded, calls):
    write_warmup(tmp_path, "embedder", INPUTS)
    assert replay_warmup(tmp_path, loaded) == 2
    assert calls[0] == IMAGES
    np.testing.assert_array_equal(calls[1], PIXELS)


@pytest.mark.parametrize(
    ("signature", "tensors"),
    [
        ("embed_tensor", {"pixels": PIXELS[:, :1]}),
        ("embed_tensor", {"images": [b""]}),
        ("embed_all", {"images": [b""]}),
    ],
)
def test_a_request_that_fails_is_named(tmp_path, loaded, signature, tensors):
    write_warmup(tmp_path, "embedder", [*INPUTS, (signature, tensors)])
    with pytest.raises(UserError, match=rf"warm-up request 2 .* on signature '{signature}' \("):
        replay_warmup(tmp_path, loaded)


def test_there_may_be_none(tmp_path, loaded):
    assert read_warmup(tmp_path) == []
    assert replay_warmup(tmp_path, loaded) == 0
