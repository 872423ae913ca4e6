"""The devices that a run trains on."""

import json
import os

import keras
import tensorflow as tf

from nfl_keras.errors import UserError

STRATEGIES = ("auto", "one", "mirrored", "multi-worker")


def strategy_of(name):
    """The `tf.distribute.Strategy` of a name.

    `"multi-worker"` waits until all workers of `TF_CONFIG` have come. It must be made before
    TensorFlow does anything else in the process, which `"auto"` may come to.

    Args:
        name: `"one"` device; `"mirrored"`, all GPUs of this machine (without any, all logical
            CPUs); `"multi-worker"`, the machines that `TF_CONFIG` names; or `"auto"`, the last
            where `TF_CONFIG` names several, else all GPUs where there are several, else one
            device.

    Returns:
        A `tf.distribute.Strategy`, in whose `scope()` to make model, optimizer and metrics.

    Raises:
        UserError: if there is no such name, `TF_CONFIG` cannot be used, or TensorFlow is not
            Keras' backend.

    Example:

    >>> strategy = strategy_of("mirrored")
    >>> strategy.num_replicas_in_sync
    2
    """
    if name not in STRATEGIES:
        raise UserError(f"strategy must be one of {', '.join(STRATEGIES)}, not {name!r}.")
    if keras.config.backend() != "tensorflow":
        raise UserError(
            f"runs are trained by TensorFlow, and Keras' backend is {keras.config.backend()}; "
            f"leave out KERAS_BACKEND, or train by the fit of nfl.models.NoiseInvariantModel."
        )
    if name == "multi-worker" or (name == "auto" and _number_of_workers(required=False) > 1):
        _number_of_workers(required=True)
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices("GPU")
    if name == "mirrored":
        devices = devices or tf.config.list_logical_devices("CPU")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def in_words(strategy):
    """What a strategy trains on, in words for logs and reports."""
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return "on one device"
    workers = replicas // len(strategy.extended.worker_devices)
    return f"on {replicas} replicas" + (f" of {workers} workers" if workers > 1 else "")


def is_chief(strategy):
    """Whether this process is the one among its workers that prints and writes files."""
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    if not cluster:
        return True
    return resolver.task_type == "chief" or ("chief" not in cluster and resolver.task_id == 0)


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
