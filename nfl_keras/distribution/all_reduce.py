"""Defines the reduction of tensors over all replicas."""

from collections.abc import Sequence

import keras

from nfl_keras.typing import Tensor

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def all_reduce(operation: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Reduces each tensor over all replicas.

    `ReplicaContext.all_reduce` reduces a tensor on the device that the tensor names. In a
    function the value of a variable names none, and `MultiWorkerMirroredStrategy` then fails
    with "destinations can not be empty". `tf.identity` places the value on the replica's device.

    Args:
        operation: `"SUM"` or `"MEAN"`.
        tensors: sequence of tensors, with the same shapes on all replicas.

    Returns:
        List of tensors of the same shapes and dtypes.
    """
    context = tf.distribute.get_replica_context()
    return context.all_reduce(operation, [tf.identity(tensor) for tensor in tensors])
