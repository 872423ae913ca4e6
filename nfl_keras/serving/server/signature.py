"""What a signature of a model takes and gives, and the check of requests against it."""

import dataclasses

from grpc import StatusCode
from tensorflow.core.framework import types_pb2

from nfl_keras.serving.server.request_error import RequestError
from nfl_keras.serving.server.tensors import dtype_name, to_array


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Data type (a number of `types_pb2`) and shape (None for any rank, -1 for any size)."""

    dtype: int
    shape: tuple | None

    def fits(self, shape):
        """Whether a tensor of this shape may stand here."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(own in (-1, size) for own, size in zip(self.shape, shape, strict=True))
        )

    @property
    def batched(self):
        return bool(self.shape) and self.shape[0] == -1

    def __str__(self):
        shape = "of any shape" if self.shape is None else list(self.shape)
        return f"{dtype_name(self.dtype)} {shape}"


class Signature:
    """One signature of a model.

    Args:
        name: str, such as `"serving_default"`.
        definition: `SignatureDef`.

    Attributes:
        inputs, outputs: dicts from name to `TensorSpec`.
        batched: bool. Whether each input and output has a row per example, so that requests may
            be merged and split.
    """

    def __init__(self, name, definition):
        self.name = name
        self.inputs = {alias: _spec(info) for alias, info in sorted(definition.inputs.items())}
        self.outputs = {alias: _spec(info) for alias, info in sorted(definition.outputs.items())}
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.batched = bool(self.inputs) and all(spec.batched for spec in specs)

    def wanted(self, output_filter):
        """The names of the outputs asked for; all without a filter.

        Raises:
            RequestError: INVALID_ARGUMENT for a name that is unknown or given twice.
        """
        for alias in output_filter:
            if alias not in self.outputs:
                raise _invalid(
                    f"output tensor alias not found in signature: {alias[:100]} Outputs expected "
                    f"to be in the set {{{','.join(self.outputs)}}}."
                )
        if len(set(output_filter)) < len(output_filter):
            twice = next(a for a in output_filter if list(output_filter).count(a) > 1)
            raise _invalid(f"duplicate output tensor alias: {twice}")
        return list(output_filter) or list(self.outputs)

    def arrays(self, protos, limits):
        """The inputs of a request, checked.

        Args:
            protos: Mapping from name to `TensorProto`.
            limits: `Limits`.

        Returns:
            Dict from name to array, and the number of rows (1 if the signature is not batched).

        Raises:
            RequestError: INVALID_ARGUMENT for missing or unknown names, another data type or
                shape, or no rows; RESOURCE_EXHAUSTED for too many.
        """
        self._check_names(protos)
        for alias, spec in self.inputs.items():
            self._check_tensor(alias, spec, protos[alias])
        rows = self._rows(protos, limits) if self.batched else 1
        arrays = {
            alias: to_array(protos[alias], alias, limits.max_message_bytes) for alias in self.inputs
        }
        return arrays, rows

    def _check_names(self, protos):
        extra = sorted(set(protos) - set(self.inputs))
        missing = sorted(set(self.inputs) - set(protos))
        if extra or missing:
            shown = ",".join(name[:100] for name in extra[:10])
            raise _invalid(
                f"input size does not match signature: {len(protos)}!={len(self.inputs)}. "
                f"Sent extra: {{{shown}}}. Missing but required: {{{','.join(missing)}}}."
            )

    def _check_tensor(self, alias, spec, proto):
        shape = [dimension.size for dimension in proto.tensor_shape.dim]
        if proto.dtype != spec.dtype or not spec.fits(shape):
            raise _invalid(
                f"input {alias} of signature {self.name} must be {spec} but is "
                f"{dtype_name(proto.dtype)} {shape}"
            )

    def _rows(self, protos, limits):
        rows = {alias: protos[alias].tensor_shape.dim[0].size for alias in self.inputs}
        if len(set(rows.values())) > 1:
            raise _invalid(f"input tensors must have equal 0th-dimension size, not {rows}")
        count = next(iter(rows.values()))
        if count < 1:
            raise _invalid(f"input {next(iter(rows))} holds no rows")
        if count > limits.max_request_rows:
            raise RequestError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"{count} rows in one request, larger than max ({limits.max_request_rows})",
            )
        return count


def _spec(info):
    if info.dtype == types_pb2.DT_INVALID or info.tensor_shape.unknown_rank:
        return TensorSpec(info.dtype, None)
    return TensorSpec(info.dtype, tuple(dimension.size for dimension in info.tensor_shape.dim))


def _invalid(message):
    return RequestError(StatusCode.INVALID_ARGUMENT, message)
