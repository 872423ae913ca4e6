import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.training import data_clock as module
from nfl_keras.training.callbacks.progress import Progress
from nfl_keras.training.data_clock import DataClock

STEPS = 4


def slow(seconds):
    """Function of a tensor to itself, after a while."""

    def wait(x):
        with tf.control_dependencies([tf.numpy_function(lambda: time.sleep(seconds), [], [])]):
            return tf.identity(x)

    return wait


class Waiting(keras.layers.Layer):
    """Takes its time."""

    def call(self, inputs):
        outputs = slow(0.2)(inputs)
        outputs.set_shape(inputs.shape)
        return outputs


def batches(seconds=None):
    dataset = tf.data.Dataset.range(STEPS)
    if seconds:
        dataset = dataset.map(slow(seconds)).map(lambda i: tf.ensure_shape(i, ()))
    return dataset.map(lambda i: (tf.fill((4, 3), tf.cast(i, tf.float32)), tf.zeros((4, 1))))


def waiting_share(dataset, *layers):
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    clock = DataClock()
    progress = Progress(2, STEPS, 4, clock)
    model.fit(clock.watch(dataset), epochs=2, verbose=0, shuffle=False, callbacks=[progress])
    assert progress.batches_done == 2 * STEPS
    return progress.waiting_share


def test_the_batches_stay_as_they_are():
    watched, plain = DataClock().watch(batches()), batches()
    assert len(watched) == STEPS
    assert watched.element_spec == plain.element_spec
    for (images, labels), (expected, _) in zip(watched, plain, strict=True):
        np.testing.assert_array_equal(images, expected)
        assert labels.shape == (4, 1)


@pytest.mark.parametrize("ahead", [False, True])
def test_steps_wait_for_slow_data(ahead):
    dataset = batches(seconds=0.2)
    assert waiting_share(dataset.prefetch(2) if ahead else dataset) > 0.5


@pytest.mark.parametrize("ahead", [False, True])
def test_slow_steps_do_not_wait_for_data_that_are_there(ahead):
    dataset = batches(seconds=0.005 if ahead else None)
    assert waiting_share(dataset.prefetch(2) if ahead else dataset, Waiting()) < 0.3


def test_what_lies_after_the_steps_beginning_was_waited(monkeypatch):
    clock = DataClock()
    for now in [10.0, 20.0, 30.0]:
        monkeypatch.setattr(module, "time", types.SimpleNamespace(perf_counter=lambda t=now: t))
        clock._note()
    assert clock.waited(since=7.5) == 2.5
    assert clock.waited(since=21.0) == 0.0
    assert clock.waited(since=28.0) == 2.0
    assert clock.waited(since=1.0) == 0.0
