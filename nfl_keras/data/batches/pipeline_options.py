"""Defines the options of every tf.data pipeline of this package."""

import tensorflow as tf


def pipeline_options():
    # The thread that tunes a pipeline was seen to outlive it: TensorFlow 2.21 then waits for it
    # without end when an iterator is freed before its last batch. Untuned, as many photographs are
    # read at once as there are cores.
    options = tf.data.Options()
    options.autotune.enabled = False
    return options
