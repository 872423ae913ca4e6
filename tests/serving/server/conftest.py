"""A tiny model whose answers can be computed by hand, and requests as any client makes them."""

import shutil

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from nfl_keras.serving import Batching, Limits, Server

SIZE = 4
WIDTH = 3


class Tiny(tf.Module):
    """`scale` times the mean of each channel, or the number of bytes; refuses pixels over 1e6."""

    def __init__(self, scale):
        super().__init__()
        self.scale = tf.Variable(float(scale))

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, WIDTH], name="pixels")])
    def embed_tensor(self, pixels):
        with tf.control_dependencies([tf.debugging.assert_less(pixels, 1e6)]):
            return {"embedding": self.scale * tf.reduce_mean(pixels, [1, 2])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
    def embed_images(self, images):
        length = tf.cast(tf.strings.length(images), tf.float32)
        status = tf.where(length > 0, tf.where(tf.strings.substr(images, 0, 1) == b"\xff", 0, 1), 4)
        return {
            "embedding": self.scale * tf.repeat(length[:, None], WIDTH, axis=1),
            "status": tf.cast(status, tf.int32),
        }


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Function from a scale to the folder of a model of it, written once."""
    folders = {}

    def export(scale):
        if scale not in folders:
            folders[scale] = tmp_path_factory.mktemp("exported") / str(scale)
            tiny = Tiny(scale)
            signatures = {
                "serving_default": tiny.embed_images,
                "embed_tensor": tiny.embed_tensor,
                "embed_center": tiny.embed_images,
            }
            tf.saved_model.save(tiny, str(folders[scale]), signatures)
        return folders[scale]

    return export


@pytest.fixture(scope="session")
def install(exported):
    """Function that puts a version of a model into a folder, written aside and then renamed.

    Args of the function: base, the model's folder; version; scale, by default the version;
    damage, an optional function from the folder before it is renamed.
    """

    def put(base, version, scale=None, damage=None):
        aside = base / f".partial-{version}"
        shutil.copytree(exported(version if scale is None else scale), aside)
        if damage:
            damage(aside)
        return aside.rename(base / str(version))

    return put


@pytest.fixture(scope="session")
def corrupt():
    """Function that damages a version: its variables are cut short."""

    def damage(folder):
        data = next((folder / "variables").glob("variables.data-*"))
        data.write_bytes(data.read_bytes()[:3])

    return damage


@pytest.fixture(scope="session")
def write_warmup():
    """Function that writes requests to replay into a version folder."""

    def write(folder, *requests):
        (folder / "assets.extra").mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(folder / "assets.extra/tf_serving_warmup_requests")) as file:
            for request in requests:
                log = prediction_log_pb2.PredictionLog(
                    predict_log=prediction_log_pb2.PredictLog(request=request)
                )
                file.write(log.SerializeToString())

    return write


@pytest.fixture(scope="session")
def predict_request():
    """Function that makes a `PredictRequest` from arrays, lists of bytes or ready protos."""

    def make(signature="", name="tiny", version=None, label=None, outputs=(), **inputs):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        if label is not None:
            request.model_spec.version_label = label
        for alias, value in inputs.items():
            is_proto = hasattr(value, "tensor_shape")
            proto = value if is_proto else tf.make_tensor_proto(value)
            request.inputs[alias].CopyFrom(proto)
        return request

    return make


@pytest.fixture(scope="session")
def install_warm(install, write_warmup, predict_request, pixels):
    """`install`, with warm-up requests, so that no first request takes longer than others."""
    requests = [predict_request(images=[b"a"]), predict_request("embed_tensor", pixels=pixels(1))]

    def put(base, version):
        base.mkdir(exist_ok=True)
        return install(base, version, damage=lambda folder: write_warmup(folder, *requests))

    return put


@pytest.fixture(scope="session")
def pixels():
    """Function from values to images, each of one value all over."""

    def make(*values):
        filled = np.asarray(values, "float32")[:, None, None, None]
        return np.broadcast_to(filled, (len(values), SIZE, SIZE, WIDTH)).copy()

    return make


class Stubs:
    """The two services of a server, by `tensorflow-serving-api`'s stubs alone."""

    def __init__(self, channel):
        self.channel = channel
        self.Predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        self.GetModelMetadata = prediction_service_pb2_grpc.PredictionServiceStub(
            channel
        ).GetModelMetadata
        self.GetModelStatus = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
        self.HandleReloadConfigRequest = model_service_pb2_grpc.ModelServiceStub(
            channel
        ).HandleReloadConfigRequest

    def code(self, call, *arguments, **options):
        """The status code and message of a call that must fail."""
        with pytest.raises(grpc.RpcError) as failure:
            call(*arguments, **{"timeout": 60, **options})
        return failure.value.code(), failure.value.details()

    def code_if_any(self, request):
        """The status code of a prediction that fails, or None."""
        try:
            self.Predict(request, timeout=60)
        except grpc.RpcError as error:
            return error.code()


@pytest.fixture(scope="session")
def connect():
    """Function from a port to `Stubs`; its channels are closed at the end."""
    channels = []

    def to(port, credentials=None):
        # Each server of a test is a peer of its own, to which connections are not shared.
        options = [("grpc.use_local_subchannel_pool", 1)]
        address = f"localhost:{port}"
        if credentials is None:
            channels.append(grpc.insecure_channel(address, options))
        else:
            channels.append(grpc.secure_channel(address, credentials, options))
        return Stubs(channels[-1])

    yield to
    for channel in channels:
        channel.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory, install_warm):
    """A server of `tiny`, version 2, with REST, that no test of a file changes."""
    base = install_warm(tmp_path_factory.mktemp("models") / "tiny", 2).parent
    limits = Limits(max_message_bytes=2**20, max_request_rows=100, max_request_seconds=20)
    with Server(base, port=0, rest_port=0, limits=limits, batching=Batching(8)) as server:
        yield server


@pytest.fixture(scope="module")
def stubs(served, connect):
    """`Stubs` of `served`."""
    return connect(served.port)
