"""What replicas draw, average and hand to the optimizer, so that together they are one device."""

import keras
from keras import ops

from nfl_keras.distribution.share import Share

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def in_global_batch(layer, rows, training):
    """What a random layer makes of a replica's rows within the global batch.

    The layer draws for the whole batch on every replica, and each keeps what falls on its own
    rows, so that the draws do not depend on the number of replicas. Backends other than
    TensorFlow have one, and the layer is called as it is.

    Args:
        layer: layer that draws for each row on its own, called as `layer(rows, training=True)`.
        rows: `[b, ...]`.
        training: bool. If false, the layer is called on the rows alone.

    Returns:
        `[b, ...]`.

    Example:

    >>> noisy = in_global_batch(nfl.layers.GaussianInputNoise(seed=0), images, training=True)
    """
    if not training:
        return layer(rows, training=False)
    share = Share.of(rows)
    if share.replicas == 1:
        return layer(rows, training=True)
    return share.take(layer(share.place(rows), training=True))


def average_batch_norm(model):
    """Gives each of several replicas the mean of all replicas' moving statistics.

    Keras leaves each replica with those of its own rows, and saves the first one's. Layers that
    are frozen or synchronized are left alone: theirs are equal.
    """
    context = tf.distribute.get_replica_context()
    statistics = [
        variable
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        if layer.trainable and not layer.synchronized
        for variable in layer.non_trainable_variables
    ]
    if statistics:
        values = [tf.convert_to_tensor(variable) for variable in statistics]
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, values)
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)


def gradients_for(optimizer, gradients):
    """What to give the optimizer on each of several replicas: it then updates as on one device.

    Keras' optimizers sum gradients over the replicas, but clip them and look for overflow
    before. Where they do either, the sum is made and clipped here, and each replica hands over
    an equal part of it, which their own clipping then leaves as it is.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gradients: list of a replica's gradients, `None` where a variable has none.

    Returns:
        List of gradients.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    clips = inner.clipnorm or inner.global_clipnorm or inner.clipvalue
    if inner is optimizer and not clips:
        return gradients
    scale = optimizer.scale_loss(1.0)
    present = [gradient for gradient in gradients if gradient is not None]
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
    unscaled = [None if gradient is None else next(summed) / scale for gradient in gradients]
    clipped = inner._clip_gradients(unscaled)
    if inner is not optimizer:
        # An overflow that is clipped to a number would not be seen as one.
        pairs = zip(clipped, unscaled, strict=True)
        clipped = [None if g is None else ops.where(ops.isfinite(g), c, g) for c, g in pairs]
    return [None if gradient is None else gradient * scale / replicas for gradient in clipped]
