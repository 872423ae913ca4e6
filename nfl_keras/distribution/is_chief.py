"""Defines which of several workers prints and writes files."""

import tensorflow as tf


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the worker that prints and writes files.

    Args:
        strategy: `tf.distribute.Strategy`. Without workers every process is a chief.

    Example:

    >>> from nfl_keras.distribution.is_chief import is_chief
    >>> is_chief(tf.distribute.get_strategy())
    True
    """
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    if not cluster:
        return True
    return resolver.task_type == "chief" or ("chief" not in cluster and resolver.task_id == 0)
