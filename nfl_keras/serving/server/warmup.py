"""Replays the requests that a model brings along, before it answers anybody else's."""

import pathlib

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving.server.request_error import RequestError

REQUESTS_FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
_MOST = 1000


def replay(path, answer):
    """Answers each recorded request once. A model without the file needs none.

    Args:
        path: path, the version folder.
        answer: Function from a `PredictRequest`, whose result is not looked at.

    Raises:
        UserError: where a record cannot be read or answered, as TF Serving refuses such a model.
    """
    file = path / REQUESTS_FILE
    if not file.is_file():
        return
    number = 0
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(file)).as_numpy_iterator(), 1):
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if number > _MOST or log.WhichOneof("log_type") != "predict_log":
                raise UserError(f"{file}: record {number} is more than {_MOST} or no predict_log.")
            answer(log.predict_log.request)
    except (tf.errors.OpError, DecodeError, RequestError) as error:
        reason = str(error).strip().splitlines()[0][:300]
        raise UserError(f"{file}: warm-up stopped after record {number}: {reason}") from error
