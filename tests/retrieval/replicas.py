"""Embeds and classifies on 1 and 2 replicas, for `test_predict_crops.py`.

    python replicas.py OUT.npz

It is a process of its own, since TensorFlow's devices must be configured before their first use.
"""

import contextlib
import sys

import keras
import numpy as np
import tensorflow as tf

import nfl_keras as nfl
from nfl_keras.data.sources.blooms import blooms


def made(strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(6, 3, strides=2, activation="tanh")(inputs)
        backbone = keras.Model(inputs, keras.layers.BatchNormalization()(x))
        embedder = nfl.models.Embedder(backbone, 4, 32, 1 / 127.5, -1.0)
        return nfl.models.NoiseAssistedModel(embedder, num_classes=3, lambda_softmax=1.0)


def found(model, image_set, where):
    yield f"embeddings on {where}", nfl.retrieval.embed(model.embedder, image_set)
    yield f"probabilities on {where}", nfl.retrieval.classify(model, image_set)


def main(path):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
    image_set = blooms(num_species=2, image_size=40).subset([0, 1, 48, 49, 50])
    results = dict(found(made(tf.distribute.get_strategy()), image_set, "1"))
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    model = made(strategy)
    for where, scope in (("outside", contextlib.nullcontext()), ("inside", strategy.scope())):
        with scope:
            results.update(found(model, image_set, f"2, {where}"))
    np.savez(path, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
