"""What is served: metadata and status of models, and the change of them while running."""

import pathlib

from grpc import StatusCode
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from nfl_keras.serving.server.request_error import RequestError

_SIGNATURE_DEF = "signature_def"


def metadata(models, request):
    """The signatures of a version.

    Args:
        models: `Models`.
        request: `GetModelMetadataRequest`, with `signature_def` as its only field.

    Returns:
        `GetModelMetadataResponse`.

    Raises:
        RequestError: INVALID_ARGUMENT or NOT_FOUND.
    """
    _check_spec(request)
    if not request.metadata_field:
        raise _invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise _invalid(f"Metadata field {field} is not supported")
    with models.leased(request.model_spec) as version:
        signatures = get_model_metadata_pb2.SignatureDefMap(
            signature_def=version.loaded.signature_defs
        )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = version.model_name
        response.model_spec.version.value = version.number
        response.metadata[_SIGNATURE_DEF].Pack(signatures)
    return response


def status(models, request):
    """The states of a model's versions.

    Args:
        models: `Models`.
        request: `GetModelStatusRequest`; without version and label it means all versions.

    Returns:
        `GetModelStatusResponse`.

    Raises:
        RequestError: INVALID_ARGUMENT or NOT_FOUND.
    """
    _check_spec(request)
    spec = request.model_spec
    model = models.get(spec.name)
    number = model.number_of(spec) if model else None
    statuses = model.statuses(number) if model else []
    if not statuses:
        what = "any versions" if number is None else f"version {number}"
        raise RequestError(StatusCode.NOT_FOUND, f"Could not find {what} of model {spec.name}")
    return get_model_status_pb2.GetModelStatusResponse(model_version_status=statuses)


def reload(models, request):
    """Serves the models of a configuration instead of those served until now.

    A caller names folders to load, and a SavedModel may read and write files: only folders
    within the served one are taken.

    Args:
        models: `Models`.
        request: `ReloadConfigRequest` with a `model_config_list`. Relative base paths start at
            the served folder.

    Raises:
        RequestError: INVALID_ARGUMENT, PERMISSION_DENIED for a folder elsewhere, or
            FAILED_PRECONDITION if a model or a labeled version cannot be served; nothing has
            changed then.
    """
    if request.config.WhichOneof("config") != "model_config_list":
        raise _invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    configs = request.config.model_config_list.config
    names = [config.name for config in configs]
    if not names or not all(names) or len(set(names)) < len(names):
        raise _invalid(f"each model needs a name of its own, not {names}")
    models.configure([_arguments(config, models.directory) for config in configs])


def _arguments(config, directory):
    if config.model_platform not in ("", "tensorflow"):
        raise _invalid(f"Model {config.name} requests unsupported platform {config.model_platform}")
    base_path = (directory / pathlib.Path(config.base_path)).resolve()
    if not config.base_path or not base_path.is_relative_to(directory):
        raise RequestError(
            StatusCode.PERMISSION_DENIED,
            f"base_path {config.base_path!r} of model {config.name} is not within {directory}",
        )
    return {
        "name": config.name,
        "base_path": base_path,
        "policy": config.model_version_policy,
        "labels": dict(config.version_labels),
    }


def _check_spec(request):
    if not request.HasField("model_spec"):
        raise _invalid("Missing ModelSpec")


def _invalid(message):
    return RequestError(StatusCode.INVALID_ARGUMENT, message)
