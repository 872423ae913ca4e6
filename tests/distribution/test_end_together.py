"""Tests of how workers end: quietly, with 0, and the first one last."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from nfl_keras.distribution.end_together import end_together

pytestmark = pytest.mark.tensorflow("workers are TensorFlow's")

ONE_WORKER = """
import sys, time
import tensorflow as tf
from nfl_keras.distribution.end_together import end_together
strategy = tf.distribute.MultiWorkerMirroredStrategy()
time.sleep(float(sys.argv[1]))
end_together(strategy)
print("the end of", strategy.cluster_resolver.task_id)
"""


@pytest.mark.parametrize("seconds", [(0, 7), (7, 0)])
def test_workers_that_are_done_before_others_end_quietly(free_addresses, seconds):
    cluster = {"worker": free_addresses(2)}
    # TensorFlow writes errors at this level.
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_WORKER, str(late)],
            env=environment
            | {
                "TF_CONFIG": json.dumps(
                    {"cluster": cluster, "task": {"type": "worker", "index": i}}
                )
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i, late in enumerate(seconds)
    ]
    for i, worker in enumerate(workers):
        printed, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors
        assert printed == f"the end of {i}\n"
        assert "StartAbort" not in errors
        assert "CoordinationService" not in errors


def test_without_workers_nothing_is_waited_for():
    end_together(tf.distribute.get_strategy())
