"""The two forms in which images travel: encoded photographs, or pixels of the served size."""

import dataclasses
from collections.abc import Callable

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from nfl_keras.serving.client.images import checked_pixels, encoded_bytes
from nfl_keras.serving.client.sending import RequestError


@dataclasses.dataclass(frozen=True)
class Form:
    """How images become a request of a signature, and what its answer holds.

    Args:
        input: str, the signature's input.
        outputs: tuple of str, the outputs asked for.
        prepared: function from one image to what is sent of it; raises `PhotographError`.
        size: function from that to its bytes.
        tensor: function from a list of that to a `TensorProto`.
    """

    input: str
    outputs: tuple[str, ...]
    prepared: Callable
    size: Callable
    tensor: Callable

    def request(self, spec, prepared):
        """The request for some images.

        Args:
            spec: `ModelSpec`, the model and signature asked.
            prepared: list of what `prepared` made of each.

        Returns:
            `PredictRequest`.
        """
        inputs = {self.input: self.tensor(prepared)}
        return PredictRequest(model_spec=spec, inputs=inputs, output_filter=self.outputs)

    def answer(self, response, count):
        """What a response says of each image.

        Args:
            response: `PredictResponse`.
            count: int, how many images were sent.

        Returns:
            `(embeddings, codes)`: float32 `[N, D]`, and a list of N status codes, or of zeros
            where the form has no status.

        Raises:
            RequestError: if the answer does not fit the request.
        """
        try:
            arrays = {name: tf.make_ndarray(response.outputs[name]) for name in response.outputs}
        except (TypeError, ValueError) as error:
            raise _misfit(str(error)) from error
        shapes = {name: array.shape for name, array in arrays.items()}
        embeddings = arrays.get("embedding", np.empty(0))
        codes = arrays.get("status") if "status" in self.outputs else np.zeros(count, np.int32)
        if embeddings.ndim != 2 or len(embeddings) != count or np.shape(codes) != (count,):
            raise _misfit(f"{count} images, outputs of shapes {shapes}")
        return embeddings.astype(np.float32, copy=False), codes.tolist()


def _misfit(details):
    return RequestError(grpc.StatusCode.INTERNAL, f"the answer does not fit: {details}")


PHOTOGRAPHS = Form(
    "images",
    ("embedding", "status"),
    prepared=encoded_bytes,
    size=len,
    tensor=lambda contents: tf.make_tensor_proto(contents, tf.string),
)
PIXELS = Form(
    "pixels",
    ("embedding",),
    prepared=lambda row: checked_pixels(row).astype(np.float32, copy=False),
    size=lambda row: row.nbytes,
    tensor=lambda rows: tf.make_tensor_proto(np.stack(rows)),
)
