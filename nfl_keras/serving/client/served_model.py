"""Defines a model on a server: its signatures, and the explanation of its failures."""

import dataclasses

import grpc
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from nfl_keras.errors import UserError
from nfl_keras.serving.client.calls import CallError, Calls
from nfl_keras.serving.client.embed_batch import Form


@dataclasses.dataclass
class ServedModel:
    """A model on a server, in the version of a number or a label, or in the server's choice.

    `proxy` is what `proxy_to` tells of the server's address.
    """

    stub: PredictionServiceStub
    address: str
    name: str
    version: int | str | None = None
    proxy: str | None = None
    _signatures: dict[str, SignatureDef] | None = None

    def spec(self, signature_name: str = "") -> ModelSpec:
        """Names the model, and a signature, in a request."""
        spec = ModelSpec(name=self.name, signature_name=signature_name)
        if isinstance(self.version, str):
            spec.version_label = self.version
        elif self.version is not None:
            spec.version.value = self.version
        return spec

    def signature(self, name: str, form: Form, calls: Calls) -> SignatureDef:
        """Looks up a signature with the inputs and outputs of `form`. The server is asked once.

        Raises:
            UserError: if no server answers, or it has no such model or no such signature.
        """
        if self._signatures is None:
            fields = ["signature_def"]
            request = GetModelMetadataRequest(model_spec=self.spec(), metadata_field=fields)
            try:
                response = calls.send(self.stub.GetModelMetadata, request)
            except CallError as error:
                raise UserError(self.explain(error)) from error
            declared = SignatureDefMap()
            response.metadata["signature_def"].Unpack(declared)
            self._signatures = dict(declared.signature_def)
        served = f"the model {self.name!r} at {self.address}"
        mend = "export it with nfl.export_model."
        if name not in self._signatures:
            held = ", ".join(sorted(self._signatures)) or "none"
            raise UserError(f"{served} has no signature {name!r} (it has: {held}); {mend}")
        signature = self._signatures[name]
        lacking = {form.input, *form.outputs} - {*signature.inputs, *signature.outputs}
        if lacking:
            names = ", ".join(sorted(lacking))
            raise UserError(f"the signature {name!r} of {served} lacks {names}; {mend}")
        return signature

    def explain(self, error: CallError) -> str:
        """Explains a failed call in one line, and how to mend it."""
        server = f"the server at {self.address}"
        via, mend = "", ""
        if self.proxy is not None:
            via, mend = f" through the proxy {self.proxy}", ", or leave the proxy out by no_proxy"
        if error.code == grpc.StatusCode.UNAVAILABLE:
            fault = f"{server} cannot be reached{via} ({error.details})"
            return f"{fault}; start it or correct the address{mend}."
        if error.code == grpc.StatusCode.NOT_FOUND:
            return (
                f"{server} has no model {self.name!r} of that version ({error.details}); "
                f"correct the name or the version, or export it there."
            )
        fault = f"{server} does not embed with the model {self.name!r}{via} ({error})"
        return f"{fault}; see its log{mend}."
