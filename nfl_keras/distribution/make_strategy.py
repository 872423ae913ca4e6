"""Defines the choice of the devices that a run trains on."""

import functools
import json
import os
from collections.abc import Callable

import keras
import tensorflow as tf

from nfl_keras.errors import UserError

STRATEGIES = ("auto", "one", "mirrored", "multi-worker")


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes the `tf.distribute.Strategy` of a name.

    A `"multi-worker"` strategy waits until all workers of `TF_CONFIG` have started. Make it, or
    `"auto"`, before TensorFlow does anything else in the process.

    Args:
        name: str, one of

            - `"one"`: one device;
            - `"mirrored"`: all GPUs of this machine, or all logical CPUs if it has no GPU;
            - `"multi-worker"`: the machines that `TF_CONFIG` names;
            - `"auto"`: the machines of `TF_CONFIG` if it names several, else all GPUs if there
              are several, else one device.

    Returns:
        A `tf.distribute.Strategy`. Make model, optimizer and metrics in its `scope()`.

    Raises:
        UserError: if there is no strategy of this name, `TF_CONFIG` cannot be used, or
            TensorFlow is not Keras' backend.

    Example:

    >>> from nfl_keras.distribution.make_strategy import make_strategy
    >>> make_strategy("one").num_replicas_in_sync
    1
    """
    if name not in STRATEGIES:
        raise UserError(f"strategy must be one of {', '.join(STRATEGIES)}, not {name!r}.")
    if keras.config.backend() != "tensorflow":
        raise UserError(
            f"a run needs TensorFlow, but Keras' backend is {keras.config.backend()}; leave out "
            f"KERAS_BACKEND, or train with the fit of nfl.models.NoiseInvariantModel."
        )
    if name == "multi-worker" or (name == "auto" and _number_of_workers(required=False) > 1):
        _number_of_workers(required=True)
        return _only(tf.distribute.MultiWorkerMirroredStrategy)
    devices = tf.config.list_logical_devices("GPU")
    if name == "mirrored":
        devices = devices or tf.config.list_logical_devices("CPU")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return _only(tf.distribute.MirroredStrategy, *(device.name for device in devices))
    return tf.distribute.get_strategy()


@functools.cache
def _only(kind: Callable[..., tf.distribute.Strategy], *devices: str) -> tf.distribute.Strategy:
    """Returns the one strategy of a process over these devices.

    The collectives of two would have the same keys. They would fail with "Shape mismatch in the
    collective instance".
    """
    return kind(list(devices)) if devices else kind()


def _number_of_workers(required):
    text = os.environ.get("TF_CONFIG", "")
    if not text and not required:
        return 1
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses = cluster[task["type"]]
        if not 0 <= task["index"] < len(addresses):
            raise IndexError
    except (ValueError, KeyError, TypeError, IndexError) as error:
        found = repr(text) if text else "nothing"
        raise UserError(
            f"TF_CONFIG must say which machines train and which of them this is, such as "
            f'{{"cluster": {{"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}}, "task": {{"type": '
            f'"worker", "index": 0}}}}, but it is {found}.'
        ) from error
    return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))
