"""Tests of how workers end: commands quietly and with 0, scripts as they say."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from nfl_keras.distribution.end_together import end_process, end_together

pytestmark = pytest.mark.tensorflow("workers are TensorFlow's")

ONE_WORKER = """
import atexit, sys, time
atexit.register(lambda: print("the script's own last words"))
import tensorflow as tf
from nfl_keras.distribution.end_together import end_process, end_together
strategy = tf.distribute.MultiWorkerMirroredStrategy()
time.sleep(float(sys.argv[1]))
end_together(strategy)
print("the end of", strategy.cluster_resolver.task_id)
"""


@pytest.fixture
def workers(free_addresses):
    """Function from a program and the argument of each of two workers to `(code, out, err)`."""

    def run(program, arguments):
        cluster = {"worker": free_addresses(2)}
        # TensorFlow writes errors at this level.
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
        tasks = [{"type": "worker", "index": index} for index in range(2)]
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(argument)],
                env=environment | {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for task, argument in zip(tasks, arguments, strict=True)
        ]
        printed = [process.communicate(timeout=300) for process in processes]
        return [(p.returncode, *texts) for p, texts in zip(processes, printed, strict=True)]

    return run


@pytest.mark.parametrize("seconds", [(0, 7), (7, 0)])
def test_workers_that_are_done_before_others_end_quietly(workers, seconds):
    ends = workers(ONE_WORKER + "end_process()", seconds)
    for index, (code, printed, errors) in enumerate(ends):
        assert code == 0, errors
        assert printed == f"the end of {index}\n"
        assert "StartAbort" not in errors
        assert "CoordinationService" not in errors


def test_a_script_keeps_its_own_exit_code_and_its_own_last_words(workers):
    ends = workers(ONE_WORKER + "sys.exit(3 + strategy.cluster_resolver.task_id)", (0, 0))
    for index, (code, printed, errors) in enumerate(ends):
        assert code == 3 + index, errors
        assert printed == f"the end of {index}\nthe script's own last words\n"


def test_without_workers_nothing_is_waited_for():
    end_together(tf.distribute.get_strategy())
    end_process()
