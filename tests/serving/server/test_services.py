"""GetModelMetadata, GetModelStatus and HandleReloadConfigRequest of `Services`."""

import pytest
from google.protobuf import text_format
from grpc import StatusCode
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
)

from nfl_keras.serving import Server

INVALID = StatusCode.INVALID_ARGUMENT


def _metadata(*fields, **spec):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    if spec:
        request.model_spec.name = spec["name"]
    return request


def _status(name, **spec):
    return get_model_status_pb2.GetModelStatusRequest(model_spec={"name": name, **spec})


def test_metadata_is_the_signatures(stubs):
    response = stubs.GetModelMetadata(_metadata("signature_def", name="tiny"), timeout=20)
    assert response.model_spec.name == "tiny"
    assert response.model_spec.version.value == 2
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    found = signatures.signature_def
    assert {"serving_default", "embed_tensor", "embed_center"} <= set(found)
    pixels = found["embed_tensor"].inputs["pixels"]
    assert [d.size for d in pixels.tensor_shape.dim] == [-1, 4, 4, 3]


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (_metadata("signature_def"), INVALID, "Missing ModelSpec"),
        (_metadata(name="tiny"), INVALID, "at least one metadata_field"),
        (_metadata("weights", name="tiny"), INVALID, "weights is not supported"),
        (_metadata("signature_def", name="x"), StatusCode.NOT_FOUND, "Latest(x)"),
    ],
)
def test_metadata_that_cannot_be_given(request_, code, words, stubs):
    found, message = stubs.code(stubs.GetModelMetadata, request_)
    assert found == code
    assert words in message


def test_status_is_of_all_versions_or_one(stubs):
    for request in (_status("tiny"), _status("tiny", version={"value": 2})):
        (status,) = stubs.GetModelStatus(request, timeout=20).model_version_status
        assert (status.version, status.state) == (2, status.AVAILABLE)
        assert status.status.error_code == 0


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (get_model_status_pb2.GetModelStatusRequest(), INVALID, "Missing ModelSpec"),
        (_status("x"), StatusCode.NOT_FOUND, "Could not find any versions of model x"),
        (_status("tiny", version={"value": 9}), StatusCode.NOT_FOUND, "version 9 of model tiny"),
        (_status("tiny", version_label="best"), INVALID, "label: best"),
    ],
)
def test_status_that_cannot_be_given(request_, code, words, stubs):
    found, message = stubs.code(stubs.GetModelStatus, request_)
    assert found == code
    assert words in message


@pytest.fixture
def house(tmp_path, install):
    """A folder of two models, and its running server."""
    for name, numbers in (("birds", (1, 2)), ("cars", (3,))):
        (tmp_path / name).mkdir()
        for number in numbers:
            install(tmp_path / name, number)
    with Server(tmp_path, port=0, poll_seconds=0.1) as server:
        yield tmp_path, server


def _reload(text):
    return text_format.Parse(
        f"config {{ model_config_list {{ {text} }} }}", model_management_pb2.ReloadConfigRequest()
    )


def _version(stubs, predict_request, name, **spec):
    request = predict_request(name=name, images=[b"a"], **spec)
    response = stubs.Predict(request, timeout=20)
    number = response.model_spec.version.value
    assert response.outputs["embedding"].float_val[0] == number
    return number


def test_a_configuration_replaces_what_is_served(house, connect, predict_request):
    folder, server = house
    stubs = connect(server.port)
    before = server.models.served["birds"]._versions[2]
    response = stubs.HandleReloadConfigRequest(
        _reload(
            f"""config {{
              name: "birds" base_path: "{folder}/birds" model_platform: "tensorflow"
              model_version_policy {{ specific {{ versions: [1, 2] }} }}
              version_labels {{ key: "stable" value: 1 }}
              version_labels {{ key: "canary" value: 2 }}
            }}
            config {{ name: "autos" base_path: "cars" }}"""
        ),
        timeout=20,
    )
    assert response.status.error_code == 0
    assert server.models.served["birds"]._versions[2] is before
    found = {
        spec: _version(stubs, predict_request, "birds", **dict([spec]))
        for spec in [("label", "stable"), ("label", "canary"), ("version", 1)]
    }
    assert list(found.values()) == [1, 2, 1]
    assert _version(stubs, predict_request, "birds") == 2
    assert _version(stubs, predict_request, "autos") == 3
    request = predict_request(name="cars", images=[b"a"])
    assert stubs.code(stubs.Predict, request)[0] == StatusCode.NOT_FOUND


def test_a_label_moves_without_loading_anew(house, connect, predict_request):
    _, server = house
    stubs = connect(server.port)
    text = (
        'config {{ name: "birds" base_path: "birds" model_version_policy {{ all {{}} }} '
        'version_labels {{ key: "stable" value: {} }} }}'
    )
    loaded = set()
    for number in (1, 2, 1):
        stubs.HandleReloadConfigRequest(_reload(text.format(number)), timeout=20)
        assert _version(stubs, predict_request, "birds", label="stable") == number
        loaded.add(server.models.served["birds"]._versions[1].loaded)
    assert len(loaded) == 1


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", INVALID, "name"),
        ('config { base_path: "birds" }', INVALID, "name"),
        (
            'config { name: "a" base_path: "birds" } config { name: "a" base_path: "cars" }',
            INVALID,
            "name",
        ),
        ('config { name: "a" base_path: "birds" model_platform: "caffe" }', INVALID, "caffe"),
        ('config { name: "a" base_path: "/etc" }', StatusCode.PERMISSION_DENIED, "/etc"),
        ('config { name: "a" base_path: "birds/../.." }', StatusCode.PERMISSION_DENIED, "within"),
        ('config { name: "a" }', StatusCode.PERMISSION_DENIED, "within"),
        ('config { name: "a" base_path: "nowhere" }', StatusCode.FAILED_PRECONDITION, "no version"),
        (
            'config { name: "birds" base_path: "birds" version_labels { key: "x" value: 1 } }',
            StatusCode.FAILED_PRECONDITION,
            "version 1 of model birds, which is not currently available",
        ),
    ],
)
def test_a_configuration_that_cannot_be_served_changes_nothing(
    text, code, words, house, connect, predict_request
):
    _, server = house
    stubs = connect(server.port)
    found, message = stubs.code(stubs.HandleReloadConfigRequest, _reload(text))
    assert found == code
    assert words in message
    assert _version(stubs, predict_request, "birds") == 2
    assert _version(stubs, predict_request, "cars") == 3
    assert sorted(server.models.served) == ["birds", "cars"]


def test_a_configuration_of_another_kind_is_refused(stubs):
    request = model_management_pb2.ReloadConfigRequest()
    assert stubs.code(stubs.HandleReloadConfigRequest, request)[0] == INVALID
