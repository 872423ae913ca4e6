"""The files of a deployment, read as TF Serving, Docker, Kubernetes and Python read them."""

import concurrent.futures
import pathlib
import re
import runpy
import sys

import grpc
import numpy as np
import pytest
import tensorflow as tf
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from nfl_keras.export.deployment_files import deployment_files

EXAMPLE = pathlib.Path(__file__).parents[2] / "export"


@pytest.fixture(scope="module")
def files():
    return deployment_files(["roses-1.0", "tulips"])


@pytest.fixture(scope="module")
def messages():
    """Function from a name to a message that `tensorflow-serving-api` has but does not ship."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="serving",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    fields = {
        "BatchingParameters": [
            ("max_batch_size", 1, ".google.protobuf.Int64Value"),
            ("batch_timeout_micros", 2, ".google.protobuf.Int64Value"),
            ("max_enqueued_batches", 3, ".google.protobuf.Int64Value"),
            ("num_batch_threads", 4, ".google.protobuf.Int64Value"),
            ("allowed_batch_sizes", 6, field.TYPE_INT64),
            ("pad_variable_length_inputs", 7, field.TYPE_BOOL),
        ],
        "PrometheusConfig": [("enable", 1, field.TYPE_BOOL), ("path", 2, field.TYPE_STRING)],
        "MonitoringConfig": [("prometheus_config", 1, ".serving.PrometheusConfig")],
    }
    for message, entries in fields.items():
        described = file.message_type.add(name=message)
        for name, number, kind in entries:
            entry = described.field.add(name=name, number=number, label=field.LABEL_OPTIONAL)
            if isinstance(kind, str):
                entry.type, entry.type_name = field.TYPE_MESSAGE, kind
            else:
                entry.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return lambda name: message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"serving.{name}")
    )()


def flags_of(arguments):
    """Flags of the server, each one that it has."""
    known = {
        "model_config_file",
        "model_config_file_poll_wait_seconds",
        "enable_batching",
        "batching_parameters_file",
        "monitoring_config_file",
    }
    flags = dict(re.fullmatch(r"--([a-z_]+)=(.+)", argument).groups() for argument in arguments)
    assert flags.keys() <= known
    return flags


def test_every_model_is_served_in_its_newest_version(files):
    config = text_format.Parse(
        files["models.config"], model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert [(model.name, model.base_path) for model in config] == [
        ("roses-1.0", "/models/roses-1.0"),
        ("tulips", "/models/tulips"),
    ]
    assert {model.model_platform for model in config} == {"tensorflow"}
    assert {model.model_version_policy.latest.num_versions for model in config} == {1}


def test_batches_have_limits(files, messages):
    read = text_format.Parse(files["batching_parameters.txt"], messages("BatchingParameters"))
    assert read.max_batch_size.value == 64
    assert read.batch_timeout_micros.value == 2000
    assert read.num_batch_threads.value == 2
    assert read.max_enqueued_batches.value == 100


def test_metrics_are_served(files, messages):
    read = text_format.Parse(files["monitoring.config"], messages("MonitoringConfig"))
    assert read.prometheus_config.enable
    assert read.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_compose_reads_the_files_that_lie_beside_it(files):
    service = yaml.safe_load(files["docker-compose.yml"])["services"]["tf-serving"]
    assert service["volumes"] == [".:/models:ro"]
    for flag, value in flags_of(service["command"]).items():
        if flag.endswith("_file"):
            assert value.removeprefix("/models/") in files
    assert service["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    assert service["image"].startswith("tensorflow/serving:")


def test_compose_for_a_gpu_changes_the_same_service(files):
    service = yaml.safe_load(files["docker-compose.gpu.yml"])["services"]["tf-serving"]
    assert service["image"].endswith("-gpu")
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_the_manifest_fits_together(files):
    deployment, service = yaml.safe_load_all(files["kubernetes.yaml"])
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels == service["spec"]["selector"]
    (container,) = template["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "http": 8501}
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == ports
    assert {port["targetPort"] for port in service["spec"]["ports"]} == ports.keys()
    (mount,) = container["volumeMounts"]
    assert mount["mountPath"] == "/models"
    assert mount["name"] in [volume["name"] for volume in template["spec"]["volumes"]]
    for flag, value in flags_of(container["args"]).items():
        if flag.endswith("_file"):
            assert value.removeprefix("/models/") in files


def test_the_manifest_probes_what_the_server_has(files):
    deployment, _ = yaml.safe_load_all(files["kubernetes.yaml"])
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["startupProbe"]["tcpSocket"] == {"port": "grpc"}
    assert container["livenessProbe"]["tcpSocket"] == {"port": "grpc"}
    ready = container["readinessProbe"]["httpGet"]
    assert ready == {"path": "/v1/models/roses-1.0/metadata", "port": "http"}
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    path = annotations["prometheus.io/path"]
    assert f'"{path}"' in files["monitoring.config"]


def test_the_client_is_a_dozen_lines_and_imports_no_package_of_ours(files):
    code = files["client.py"].split('"""')[2]
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) == 12
    assert "nfl_keras" not in code


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers with the length of each image."""

    def Predict(self, request, context):  # noqa: N802
        assert request.model_spec.name == "roses-1.0"
        images = tf.make_ndarray(request.inputs["images"])
        answer = predict_pb2.PredictResponse()
        embedding = np.array([[len(image)] for image in images], np.float32)
        answer.outputs["embedding"].CopyFrom(tf.make_tensor_proto(embedding))
        answer.outputs["status"].CopyFrom(tf.make_tensor_proto(np.zeros(len(images), np.int32)))
        return answer


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0", "unix:socket"])
def test_the_client_sends_photographs_and_prints_the_answer(
    address, files, tmp_path, monkeypatch, capsys
):
    # The port of a proxy where nobody listens.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "client.py").write_text(files["client.py"])
    (tmp_path / "a.jpg").write_bytes(b"\xff\0\0")
    (tmp_path / "b.jpg").write_bytes(b"12345\0")
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port(address)
    server.start()
    address = address.replace(":0", f":{port}")
    photographs = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    monkeypatch.setattr(sys, "argv", ["client.py", address, *photographs])
    try:
        runpy.run_path(str(tmp_path / "client.py"), run_name="__main__")
    finally:
        server.stop(None)
    printed = capsys.readouterr().out
    assert re.search(r"\[3\.\],\s+\[6\.\]", printed)
    assert re.search(r"'status': array\(\[0, 0\]", printed)


def test_the_example_in_the_repository_is_what_is_rendered():
    shown = {path.name: path.read_text() for path in EXAMPLE.iterdir() if path.is_file()}
    assert shown == deployment_files(["embedder"])


def test_the_image_of_the_server_is_pinned(files):
    images = {
        image
        for text in files.values()
        for image in re.findall(r"tensorflow/serving:([\w.-]+)", text)
    }
    assert images == {"2.19.1", "2.19.1-gpu"}
