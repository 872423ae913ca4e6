"""Tests of how workers end: commands quietly and with 0, scripts as they say."""

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


@pytest.fixture(scope="module")
def ends(run_clusters):
    """Exit code, output and errors of every worker, by the cluster that it is one of."""
    command = ONE_WORKER + "end_process()"
    script = ONE_WORKER + "sys.exit(3 + strategy.cluster_resolver.task_id)"
    programs = {
        "the first is done first": [["-c", command, 0], ["-c", command, 7]],
        "the first is done last": [["-c", command, 7], ["-c", command, 0]],
        "a script": 2 * [["-c", script, 0]],
    }
    return dict(zip(programs, run_clusters(*programs.values(), check=False), strict=True))


@pytest.mark.parametrize("order", ["the first is done first", "the first is done last"])
def test_workers_that_are_done_before_others_end_quietly(ends, order):
    for index, (code, printed, errors) in enumerate(ends[order]):
        assert code == 0, errors
        assert printed == f"the end of {index}\n"
        assert "StartAbort" not in errors
        assert "CoordinationService" not in errors


def test_a_script_keeps_its_own_exit_code_and_its_own_last_words(ends):
    for index, (code, printed, errors) in enumerate(ends["a script"]):
        assert code == 3 + index, errors
        assert printed == f"the end of {index}\nthe script's own last words\n"


def test_without_workers_nothing_is_waited_for():
    end_together(tf.distribute.get_strategy())
    end_process()
