"""Defines the options of the tf.data pipelines that give batches."""

from nfl_keras.data.tensorflow_on_cpu import tf


def pipeline_options() -> tf.data.Options:
    """Returns options that switch off the tuning of a pipeline.

    The thread that tunes a pipeline can outlive it. TensorFlow 2.21 then waits forever when an
    iterator is freed before its last batch. Without tuning, a pipeline reads as many photographs
    at once as there are cores.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options
