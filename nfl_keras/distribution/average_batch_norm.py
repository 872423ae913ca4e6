"""Defines the average of the moving statistics of batch normalization over replicas."""

import keras

from nfl_keras.distribution.all_reduce import all_reduce


def average_batch_norm(model: keras.Model) -> None:
    """Sets each replica's moving statistics to the mean over all replicas.

    Keras updates them on each replica by the replica's own rows, and saves only the first
    replica's. Frozen and synchronized layers have equal statistics on all replicas, and this
    function skips them.

    Args:
        model: `keras.Model`, on one of several replicas.
    """
    statistics = [
        variable
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        if layer.trainable and not layer.synchronized
        for variable in layer.non_trainable_variables
    ]
    if statistics:
        means = all_reduce("MEAN", [variable.value for variable in statistics])
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)
