"""Requests that a server sends itself before it answers others', as TF Serving reads them.

Without them the first requests wait for what TensorFlow does once: planning and optimising graphs,
choosing kernels. TF Serving refuses a model of which one such request fails.
"""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from nfl_keras.errors import UserError

PATH = "assets.extra/tf_serving_warmup_requests"


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


def read_warmup(folder):
    """The `PredictRequest` of each record, in their order; none where there is no such file."""
    path = folder / PATH
    if not path.exists():
        return []
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    return [log.predict_log.request for log in logs]


def replay_warmup(folder, loaded):
    """Runs the requests of a version on the model.

    Args:
        folder: `pathlib.Path`.
        loaded: what `tf.saved_model.load` gave.

    Returns:
        int, how many there are.

    Raises:
        UserError: naming the first request that fails.
    """
    requests = read_warmup(folder)
    for number, request in enumerate(requests):
        signature = request.model_spec.signature_name
        tensors = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        try:
            loaded.signatures[signature](**{k: tf.constant(v) for k, v in tensors.items()})
        except (tf.errors.OpError, KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"warm-up request {number} of {str(folder)!r} fails on signature {signature!r} "
                f"({reason}); TF Serving would refuse the model."
            ) from error
    return len(requests)
