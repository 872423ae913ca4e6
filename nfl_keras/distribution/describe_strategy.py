"""Defines the words for the devices of a strategy."""

import tensorflow as tf


def describe_strategy(strategy: tf.distribute.Strategy) -> str:
    """Describes the devices of a strategy in a few words for logs and reports.

    Args:
        strategy: `tf.distribute.Strategy`.

    Example:

    >>> from nfl_keras.distribution.describe_strategy import describe_strategy
    >>> describe_strategy(tf.distribute.get_strategy())
    'on one device'
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return "on one device"
    workers = replicas // len(strategy.extended.worker_devices)
    return f"on {replicas} replicas" + (f" of {workers} workers" if workers > 1 else "")
