"""Defines how the workers of a run end."""

import atexit
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


def end_together(strategy: tf.distribute.Strategy) -> None:
    """Waits until all workers are done, and lets their processes end at once when they end.

    TensorFlow takes seconds to end a worker. The others meanwhile report it as crashed, and a
    worker that outlives the first one reports that, too. Processes therefore end without
    TensorFlow's own shutdown, with exit code 0, and the first worker's last.

    Args:
        strategy: `tf.distribute.Strategy`. Without workers this function does nothing.
    """
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    addresses = [*cluster.get("chief", ()), *cluster.get("worker", ())]
    if len(addresses) < 2:
        return
    _wait_for_all(strategy)
    atexit.register(_end, addresses[1:] if is_chief(strategy) else ())


def _wait_for_all(strategy: tf.distribute.Strategy) -> None:
    def meet():
        return all_reduce("SUM", [tf.ones(())])

    tf.function(strategy.run, autograph=False)(meet)


def _end(others: Sequence[str]) -> None:
    deadline = time.monotonic() + SECONDS_TO_END
    for address in others:
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
                time.sleep(0.05)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
