import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from nfl_keras.errors import UserError
from nfl_keras.servable.warmup import replay_warmup, write_warmup

PIXELS = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
IMAGES = [b"a\0", b"\xff\0\0"]
INPUTS = [("serving_default", {"images": IMAGES}), ("embed_tensor", {"pixels": PIXELS})]
CLASSIFICATION = prediction_log_pb2.PredictionLog(classify_log={})


@pytest.fixture
def requests():
    return []


@pytest.fixture
def file(tmp_path):
    return tmp_path / "assets.extra" / "tf_serving_warmup_requests"


def refusal(folder, answer=lambda request: None):
    """The message of a warm-up that is refused, which must be one line."""
    with pytest.raises(UserError) as raised:
        replay_warmup(folder, answer)
    message = str(raised.value)
    assert "\n" not in message
    assert message.endswith("; TF Serving would refuse the model.")
    return message


def test_requests_are_written_as_tf_serving_reads_them(tmp_path, file):
    write_warmup(tmp_path, "embedder", INPUTS)
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(file))
    ]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log"] * 2
    requests = [log.predict_log.request for log in logs]
    assert [request.model_spec.name for request in requests] == ["embedder"] * 2
    images = requests[0].inputs["images"]
    assert images.dtype == tf.string.as_datatype_enum
    assert list(images.string_val) == IMAGES
    np.testing.assert_array_equal(tf.make_ndarray(requests[1].inputs["pixels"]), PIXELS)


def test_requests_are_replayed_in_order(tmp_path, requests):
    write_warmup(tmp_path, "embedder", INPUTS)
    replay_warmup(tmp_path, requests.append)
    names = [request.model_spec.signature_name for request in requests]
    assert names == ["serving_default", "embed_tensor"]
    assert tf.make_ndarray(requests[0].inputs["images"]).tolist() == IMAGES
    np.testing.assert_array_equal(tf.make_ndarray(requests[1].inputs["pixels"]), PIXELS)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (tf.errors.InvalidArgumentError(None, None, "2 by\n2 pixels"), "2 by 2 pixels"),
        (KeyError("embed_all"), "'embed_all'"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_request_that_fails_is_named(tmp_path, file, requests, error, reason):
    write_warmup(tmp_path, "embedder", [*INPUTS, ("embed_all", {"images": [b""]}), *INPUTS])

    def answer(request):
        requests.append(request)
        if request.model_spec.signature_name == "embed_all":
            raise error

    message = refusal(tmp_path, answer)
    assert message.startswith(f"warm-up request 2 of '{file}' fails on signature 'embed_all' (")
    assert f"({reason})" in message
    assert len(requests) == 3


def test_there_may_be_none(tmp_path, requests):
    replay_warmup(tmp_path, requests.append)
    assert requests == []


def test_a_file_that_is_cut_off_is_refused(tmp_path, file, requests):
    write_warmup(tmp_path, "embedder", INPUTS)
    file.write_bytes(file.read_bytes()[:-5])
    message = refusal(tmp_path, requests.append)
    assert message.startswith(f"warm-up request 1 of '{file}' cannot be read (")
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (b"\xff", "cannot be read ("),
        (b"", "cannot be read (it is no predict_log);"),
        (CLASSIFICATION.SerializeToString(), "cannot be read (it is no predict_log);"),
    ],
)
def test_a_record_of_another_kind_is_refused(tmp_path, file, requests, record, fault):
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(record)
    assert refusal(tmp_path, requests.append).startswith(f"warm-up request 0 of '{file}' {fault}")
    assert requests == []


def test_there_are_1000_at_most(tmp_path, file, requests):
    write_warmup(tmp_path, "embedder", 1000 * INPUTS[:1])
    replay_warmup(tmp_path, requests.append)
    assert len(requests) == 1000
    write_warmup(tmp_path, "embedder", 1001 * INPUTS[:1])
    message = refusal(tmp_path, requests.append)
    fault = "cannot be read (it is one more than 1,000);"
    assert message.startswith(f"warm-up request 1000 of '{file}' {fault}")
