"""Defines how the workers of a run end."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Sequence

import tensorflow as tf

from nfl_keras.distribution.all_reduce import all_reduce
from nfl_keras.distribution.is_chief import is_chief

SECONDS_TO_END = 10.0

_ended: list[tf.distribute.Strategy] = []  # whose workers are done


def end_together(strategy: tf.distribute.Strategy) -> None:
    """Waits until all workers are done with a run.

    A worker that ends while others are at work makes them fail.

    Args:
        strategy: `tf.distribute.Strategy`. Without workers this function does nothing.
    """
    if len(_addresses(strategy)) > 1:
        _wait_for_all(strategy)
        _ended.append(strategy)


def end_process() -> None:
    """Ends the process of a command at once if it was a worker: with code 0, the first one last.

    TensorFlow takes seconds to end a worker. The others meanwhile report it as crashed, and a
    worker that outlives the first one reports that, too. The process therefore ends without
    TensorFlow's own shutdown, and without what is registered with `atexit`: only a command, to
    which the process belongs, may call this function. Without workers it does nothing.
    """
    for strategy in _ended:
        _wait_until_gone(_addresses(strategy)[1:] if is_chief(strategy) else ())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _addresses(strategy: tf.distribute.Strategy) -> list[str]:
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    return [*cluster.get("chief", ()), *cluster.get("worker", ())]


def _wait_for_all(strategy: tf.distribute.Strategy) -> None:
    def meet():
        return all_reduce("SUM", [tf.ones(())])

    tf.function(strategy.run, autograph=False)(meet)


def _wait_until_gone(others: Sequence[str]) -> None:
    deadline = time.monotonic() + SECONDS_TO_END
    for address in others:
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
                time.sleep(0.05)
