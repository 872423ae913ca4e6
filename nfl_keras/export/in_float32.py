"""Defines how a model of any precision computes while it is exported."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def in_float32(model: keras.Model) -> Iterator[list[str]]:
    """Lets a model compute in float32, from the float32 weights that mixed precision keeps.

    The model is restored after the context.

    Yields:
        The names of the other dtype policies of its layers, such as `["mixed_bfloat16"]`.
    """
    layers = [layer for layer in model._flatten_layers() if layer.compute_dtype != "float32"]
    policies = [layer.dtype_policy for layer in layers]
    try:
        _set_policies(model, layers, ["float32"] * len(layers))
        yield sorted({policy.name for policy in policies})
    finally:
        _set_policies(model, layers, policies)


def _set_policies(model, layers, policies):
    for layer, policy in zip(layers, policies, strict=True):
        layer.dtype_policy = policy
    if layers:
        model.predict_function = None  # It was traced in another precision.
