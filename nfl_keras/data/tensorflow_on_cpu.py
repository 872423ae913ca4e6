"""TensorFlow as the data room uses it: off the GPUs that another backend of Keras computes on.

On its first use TensorFlow takes almost all memory of every GPU that it sees.
"""

import contextlib

import keras
import tensorflow as tf

__all__ = ["tf"]

if keras.config.backend() != "tensorflow":
    # A program that has used TensorFlow before has chosen the devices.
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")
