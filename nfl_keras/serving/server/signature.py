"""Defines `Signature`, which checks requests against the inputs and outputs of a model."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.tensors import dtype_name, to_array

Protos: TypeAlias = Mapping[str, tensor_pb2.TensorProto]


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """The data type (a number of `types_pb2`) and shape of a tensor; -1 and None mean any."""

    dtype: int
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, info: meta_graph_pb2.TensorInfo) -> "TensorSpec":
        """Reads the spec from a `TensorInfo`."""
        if info.dtype == types_pb2.DT_INVALID or info.tensor_shape.unknown_rank:
            return cls(info.dtype, None)
        return cls(info.dtype, tuple(dimension.size for dimension in info.tensor_shape.dim))

    def fits(self, shape: Sequence[int]) -> bool:
        """Returns whether a tensor may have this shape."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(own in (-1, size) for own, size in zip(self.shape, shape, strict=True))
        )

    @property
    def batched(self) -> bool:
        """Whether the first dimension may have any size."""
        return self.shape is not None and self.shape[:1] == (-1,)

    def __str__(self) -> str:
        shape = "of any shape" if self.shape is None else list(self.shape)
        return f"{dtype_name(self.dtype)} {shape}"


class Signature:
    """A signature of a model, with the `TensorSpec` of each input and output.

    It is `batched` if each of them has a row per example, so that requests can be merged and split.
    """

    def __init__(self, name: str, definition: meta_graph_pb2.SignatureDef) -> None:
        self.name = name
        self.inputs = {a: TensorSpec.of(info) for a, info in sorted(definition.inputs.items())}
        self.outputs = {a: TensorSpec.of(info) for a, info in sorted(definition.outputs.items())}
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.batched = bool(self.inputs) and all(spec.batched for spec in specs)

    def select_outputs(self, output_filter: Sequence[str]) -> list[str]:
        """Returns the names of the outputs that a request asks for; an empty filter means all."""
        for alias in output_filter:
            if alias not in self.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {alias[:100]} Outputs expected "
                    f"to be in the set {{{','.join(self.outputs)}}}."
                )
        if len(set(output_filter)) < len(output_filter):
            twice = next(a for a in output_filter if list(output_filter).count(a) > 1)
            raise invalid(f"duplicate output tensor alias: {twice}")
        return list(output_filter) or list(self.outputs)

    def read_inputs(self, protos: Protos, limits: Limits) -> tuple[dict[str, np.ndarray], int]:
        """Checks and reads the inputs of a request; returns arrays and their number of rows.

        Raises:
            ServingError: RESOURCE_EXHAUSTED for too many rows or bytes, else INVALID_ARGUMENT.
        """
        self._check_names(protos)
        for alias, spec in self.inputs.items():
            shape = [dimension.size for dimension in protos[alias].tensor_shape.dim]
            if protos[alias].dtype != spec.dtype or not spec.fits(shape):
                raise invalid(
                    f"input {alias} of signature {self.name} must be {spec} but is "
                    f"{dtype_name(protos[alias].dtype)} {shape}"
                )
        rows = self._count_rows(protos, limits) if self.batched else 1
        most = limits.max_message_bytes
        return {alias: to_array(protos[alias], alias, most) for alias in self.inputs}, rows

    def _check_names(self, protos: Protos) -> None:
        extra = sorted(set(protos) - set(self.inputs))
        missing = sorted(set(self.inputs) - set(protos))
        if extra or missing:
            shown = ",".join(name[:100] for name in extra[:10])
            raise invalid(
                f"input size does not match signature: {len(protos)}!={len(self.inputs)}. "
                f"Sent extra: {{{shown}}}. Missing but required: {{{','.join(missing)}}}."
            )

    def _count_rows(self, protos: Protos, limits: Limits) -> int:
        rows = {alias: protos[alias].tensor_shape.dim[0].size for alias in self.inputs}
        if len(set(rows.values())) > 1:
            raise invalid(f"input tensors must have equal 0th-dimension size, not {rows}")
        alias, count = next(iter(rows.items()))
        if count < 1:
            raise invalid(f"input {alias} holds no rows")
        if count > limits.max_request_rows:
            raise ServingError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"{count} rows in one request, larger than max ({limits.max_request_rows})",
            )
        return count
