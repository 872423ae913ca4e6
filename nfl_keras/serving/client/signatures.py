"""What a served model can be asked, as its server declares it, and what is said where it cannot."""

import grpc
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap

from nfl_keras.errors import UserError
from nfl_keras.serving.client.sending import RequestError


def declared_signatures(stub, spec, calls, address):
    """Asks a server for a model's signatures.

    Args:
        stub: `PredictionServiceStub`.
        spec: `ModelSpec`, the model.
        calls: `Calls`.
        address: str, of the server, for messages.

    Returns:
        Dict from name to `SignatureDef`.

    Raises:
        UserError: if no server answers, or it has no such model.
    """
    request = GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
    try:
        response = calls.send(stub.GetModelMetadata, request)
    except RequestError as error:
        raise UserError(explained(error, address, spec.name)) from error
    signatures = SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return dict(signatures.signature_def)


def check_signature(signatures, name, form, address, model):
    """Refuses a model that cannot be asked in this form.

    Args:
        signatures: dict from name to `SignatureDef`.
        name: str, the signature wanted.
        form: `Form`.
        address: str, of the server, for messages.
        model: str, the model's name, for messages.

    Returns:
        The `SignatureDef` wanted.

    Raises:
        UserError: if there is no such signature, or it lacks an input or output.
    """
    served = f"the model {model!r} at {address}"
    if name not in signatures:
        held = ", ".join(sorted(signatures)) or "none"
        raise UserError(
            f"{served} has no signature {name!r} (it has: {held}); export it by nfl.export_model."
        )
    signature = signatures[name]
    lacking = {form.input, *form.outputs} - {*signature.inputs, *signature.outputs}
    if lacking:
        raise UserError(
            f"the signature {name!r} of {served} lacks {', '.join(sorted(lacking))}; export it by "
            f"nfl.export_model."
        )
    return signature


def shape_of(tensor_info):
    """A declared shape.

    Args:
        tensor_info: `TensorInfo`.

    Returns:
        Tuple of int, -1 for a size that is not fixed.
    """
    return tuple(dimension.size for dimension in tensor_info.tensor_shape.dim)


def explained(error, address, model):
    """A failed request in one line: what is wrong, and the mend.

    Args:
        error: `RequestError`.
        address: str, of the server.
        model: str, the model's name.

    Returns:
        str.
    """
    server = f"the server at {address}"
    if error.code == grpc.StatusCode.UNAVAILABLE:
        return f"{server} cannot be reached ({error.details}); start it or correct the address."
    if error.code == grpc.StatusCode.NOT_FOUND:
        return (
            f"{server} has no model {model!r} of that version ({error.details}); "
            f"correct the name or the version, or export it there."
        )
    return f"{server} does not embed with the model {model!r} ({error}); see its log."
