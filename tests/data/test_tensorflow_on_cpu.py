"""The data room keeps TensorFlow off the GPUs that another backend computes on."""

import pathlib
import re

import pytest

import nfl_keras.data

WITH_GPU = """
import os
os.environ["KERAS_BACKEND"] = {backend!r}
import tensorflow as tf
told = []
tf.config.set_visible_devices = lambda *devices: told.append(devices)
import nfl_keras as nfl
blooms = nfl.data.load("blooms", split="query").subset([0, 1])
for batch in nfl.data.inference_batches(blooms, 16, 1, 2):
    print(batch.shape, told)
"""


@pytest.mark.parametrize(
    ("backend", "told"),
    [("tensorflow", "[]"), ("jax", "[([], 'GPU')]"), ("torch", "[([], 'GPU')]")],
)
def test_tensorflow_sees_gpus_only_as_the_backend(in_a_fresh_process, backend, told):
    if backend != "tensorflow":
        pytest.importorskip(backend)
    printed = in_a_fresh_process(WITH_GPU.format(backend=backend))
    assert printed.splitlines()[-1].endswith(told)


def test_no_other_file_of_the_room_imports_tensorflow():
    room = pathlib.Path(nfl_keras.data.__file__).parent
    importing = [
        path.name
        for path in room.rglob("*.py")
        if re.search(r"^\s*(import|from) tensorflow\b", path.read_text(), re.MULTILINE)
    ]
    assert importing == ["tensorflow_on_cpu.py"]
