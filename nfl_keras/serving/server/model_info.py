"""Answers questions about the served models, and replaces them while the server runs."""

import pathlib
from typing import Any

from grpc import StatusCode
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from nfl_keras.serving.server.model import Model
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.serving_error import ServingError, invalid

_SIGNATURE_DEF = "signature_def"


def metadata(models: Models, request: Any) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Answers a `GetModelMetadataRequest` for the signatures of a version."""
    _check_spec(request)
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise invalid(f"Metadata field {field} is not supported")
    name, number, loaded = models.lease(request.model_spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = number
    response.metadata[_SIGNATURE_DEF].Pack(
        get_model_metadata_pb2.SignatureDefMap(signature_def=loaded.signature_defs)
    )
    return response


def status(models: Models, request: Any) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers a `GetModelStatusRequest` for all versions of a model or for one."""
    _check_spec(request)
    spec = request.model_spec
    model = models.get(spec.name)
    number = model.number_of(spec) if model else None
    statuses = model.statuses(number) if model else []
    if not statuses:
        what = "any versions" if number is None else f"version {number}"
        raise ServingError(StatusCode.NOT_FOUND, f"Could not find {what} of model {spec.name}")
    return get_model_status_pb2.GetModelStatusResponse(model_version_status=statuses)


def reload(models: Models, request: Any) -> None:
    """Serves the models of a `ReloadConfigRequest` instead of the models served until now.

    The caller names folders to load, and a SavedModel may read and write files. Folders outside
    the served one are therefore refused; relative base paths start at the served folder.

    Raises:
        ServingError: INVALID_ARGUMENT; PERMISSION_DENIED for a folder elsewhere;
            FAILED_PRECONDITION if a model or a labeled version cannot be served. Nothing has
            changed then.
    """
    if request.config.WhichOneof("config") != "model_config_list":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    configs = request.config.model_config_list.config
    names = [config.name for config in configs]
    if not names or not all(names) or len(set(names)) < len(names):
        raise invalid(f"each model needs a name of its own, not {names}")
    models.configure({config.name: _model(config, models) for config in configs})


def _model(config: Any, models: Models) -> Model:
    if config.model_platform not in ("", "tensorflow"):
        raise invalid(f"Model {config.name} requests unsupported platform {config.model_platform}")
    base_path = (models.directory / pathlib.Path(config.base_path)).resolve()
    if not config.base_path or not base_path.is_relative_to(models.directory):
        raise ServingError(
            StatusCode.PERMISSION_DENIED,
            f"base_path {config.base_path!r} of model {config.name} is not within "
            f"{models.directory}",
        )
    policy, labels = config.model_version_policy, dict(config.version_labels)
    return Model(config.name, base_path, models.limits, policy, labels)


def _check_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
