"""Requests that a server sends itself before it answers others', as TF Serving reads them.

Without them the first requests wait for what TensorFlow does once: planning and optimising graphs,
choosing kernels. TF Serving refuses a model of which one such request fails.
"""

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from nfl_keras.errors import UserError

PATH = "assets.extra/tf_serving_warmup_requests"

_MOST = 1000  # as for TF Serving


def write_warmup(folder, name, inputs):
    """Writes the requests into the folder of a version.

    Args:
        folder: `pathlib.Path`.
        name: str, the model's.
        inputs: sequence of `(signature, tensors)`, tensors a dict from name to array.
    """
    path = folder / PATH
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, tensors in inputs:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, array in tensors.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString())


def replay_warmup(folder, answer):
    """Has each request of a version answered once, in their order; a version may have none.

    Args:
        folder: `pathlib.Path`.
        answer: Function from a `PredictRequest`. What it gives is not looked at.

    Raises:
        UserError: naming the file and the first record, counted from 0, that cannot be read, is
            no prediction, is one more than 1,000, or of which `answer` raises anything.
    """
    file = folder / PATH
    if not file.is_file():
        return
    for number, request in enumerate(_requests(file)):
        try:
            answer(request)
        except Exception as error:  # a model raises anything
            fault = f"fails on signature {request.model_spec.signature_name!r}"
            raise _refusal(file, number, f"{fault} ({_one_line(error)})") from error


def _requests(file):
    number = 0
    try:
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.WhichOneof("log_type") != "predict_log":
                raise _refusal(file, number, "is no predict_log")
            if number == _MOST:
                raise _refusal(file, number, f"is one more than {_MOST:,}")
            yield log.predict_log.request
            number += 1
    except (tf.errors.OpError, DecodeError) as error:
        raise _refusal(file, number, f"cannot be read ({_one_line(error)})") from error


def _refusal(file, number, fault):
    return UserError(
        f"warm-up request {number} of {str(file)!r} {fault}; TF Serving would refuse the model."
    )


def _one_line(error):
    return " ".join((str(error) or type(error).__name__).split())[:200]
