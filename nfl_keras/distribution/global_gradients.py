"""Defines the gradients that replicas give to their optimizer."""

from collections.abc import Sequence

import keras
from keras import ops

from nfl_keras.distribution.all_reduce import all_reduce
from nfl_keras.typing import Tensor

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def global_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[Tensor | None]
) -> Sequence[Tensor | None]:
    """Returns gradients with which a replica's optimizer updates as on one device.

    The optimizers of Keras sum gradients over the replicas, but they clip gradients and look for
    overflow before the sum. For an optimizer that does either, this function computes the sum,
    clips it, and divides it equally among the replicas. Clipping a part again does not change it.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gradients: list of a replica's gradients, `None` for a variable without one.

    Returns:
        List of gradients, `None` where `gradients` has it.
    """
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    clips = inner.clipnorm or inner.global_clipnorm or inner.clipvalue
    if inner is optimizer and not clips:
        return gradients
    scale = optimizer.scale_loss(1.0)
    present = [gradient for gradient in gradients if gradient is not None]
    summed = iter(all_reduce("SUM", present))
    unscaled = [None if gradient is None else next(summed) / scale for gradient in gradients]
    clipped = inner._clip_gradients(unscaled)
    if inner is not optimizer:
        # Clipping may turn an overflow into a number, which the optimizer would not notice.
        pairs = zip(clipped, unscaled, strict=True)
        clipped = [None if g is None else ops.where(ops.isfinite(g), c, g) for c, g in pairs]
    return [None if gradient is None else gradient * scale / replicas for gradient in clipped]
