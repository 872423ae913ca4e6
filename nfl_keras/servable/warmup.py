"""The requests that a server answers before it serves a version, in TensorFlow Serving's format.

Without them the first requests would wait while TensorFlow plans and optimizes its graphs.
TensorFlow Serving refuses a model that fails one of them.
"""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

from nfl_keras.errors import UserError

PATH = "assets.extra/tf_serving_warmup_requests"
_MOST = 1000  # TensorFlow Serving's limit


def write_warmup(folder: pathlib.Path, name: str, inputs: Iterable[tuple[str, dict]]) -> None:
    """Writes warm-up requests, each a signature and a dict of arrays, into a version's folder."""
    path = folder / PATH
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, tensors in inputs:
            request = PredictRequest(
                model_spec={"name": name, "signature_name": signature},
                inputs={key: tf.make_tensor_proto(array) for key, array in tensors.items()},
            )
            log = PredictLog(request=request)
            writer.write(PredictionLog(predict_log=log).SerializeToString())


def replay_warmup(folder: pathlib.Path, answer: Callable[[PredictRequest], Any]) -> None:
    """Calls `answer` with each warm-up request of a version, in order. A version may have none.

    Raises:
        UserError: if a record cannot be read, is not a prediction, comes after 1,000 others, or
            makes `answer` raise an exception. The message counts records from 0.
    """
    file = folder / PATH
    records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator() if file.is_file() else []
    number, fault = 0, "cannot be read"
    try:
        for record in records:
            log = PredictionLog.FromString(record)
            if log.WhichOneof("log_type") != "predict_log":
                raise ValueError("it is no predict_log")
            if number == _MOST:
                raise ValueError(f"it is one more than {_MOST:,}")
            request = log.predict_log.request
            fault = f"fails on signature {request.model_spec.signature_name!r}"
            answer(request)
            number, fault = number + 1, "cannot be read"
    except Exception as error:  # a model may raise anything
        reason = " ".join((str(error) or type(error).__name__).split())[:200]
        raise UserError(
            f"warm-up request {number} of {str(file)!r} {fault} ({reason}); TF Serving would "
            f"refuse the model."
        ) from error
