"""Defines the average of the moving statistics of batch normalization over replicas."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def average_batch_norm(model: keras.Model) -> None:
    """Sets each replica's moving statistics to the mean over all replicas.

    Keras updates them on each replica by the replica's own rows, and saves only the first
    replica's. Frozen and synchronized layers have equal statistics on all replicas, and this
    function skips them.

    Args:
        model: `keras.Model`, on one of several replicas.
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
