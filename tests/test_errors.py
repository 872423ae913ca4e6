"""Tests of which errors are told as a lack of memory."""

import errno

import numpy as np
import pytest

from nfl_keras.errors import UserError, explain_out_of_memory

TOO_MUCH = 2**46


class ResourceExhaustedError(Exception):
    """An error by TensorFlow's name."""


class OutOfMemoryError(RuntimeError):
    """An error by PyTorch's name."""


OF_MEMORY = {
    "NumPy": lambda: np.empty(TOO_MUCH),
    "Python": lambda: bytearray(TOO_MUCH),
    "TensorFlow": lambda: fail(
        ResourceExhaustedError("Graph execution error:\n\nOOM when allocating tensor with shape[9]")
    ),
    "JAX": lambda: fail(RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")),
    "PyTorch on a GPU": lambda: fail(OutOfMemoryError("CUDA out of memory. Tried to allocate 9")),
    "PyTorch": lambda: fail(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")),
}
OTHERS = [
    ResourceExhaustedError("events.out; No space left on device"),
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("memory must be a number"),
    UserError("the dataset holds too many photographs to allocate"),
]


def fail(error):
    raise error


@pytest.mark.parametrize("backend", OF_MEMORY)
def test_a_lack_of_memory_is_told_in_one_line_with_its_remedy(backend):
    with (
        pytest.raises(UserError, match=r"^not enough memory for a batch.*; lower it\.$") as told,
        explain_out_of_memory("a batch", "lower it"),
    ):
        OF_MEMORY[backend]()
    assert "\n" not in str(told.value)
    assert told.value.__cause__ is not None


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as raised, explain_out_of_memory("a batch", "lower it"):
        raise error
    assert raised.value is error
