"""Fixtures of the losses' tests: computation in blocks of rows, and the largest tensors."""

import gc
import math
import re
from unittest import mock

import keras
import pytest
import tensorflow as tf
from keras import ops

from nfl_keras.losses import map_row_blocks

BACKEND = keras.config.backend()
WAYS_TO_COMPILE = {"tensorflow": ["graph", "xla"], "jax": ["xla"], "torch": ["not"]}


def _in_blocks_of(num_rows):
    most = map_row_blocks.MOST_ROWS_AT_ONCE if num_rows is None else 0
    return mock.patch.multiple(map_row_blocks, MOST_ROWS_AT_ONCE=most, BLOCK_ROWS=num_rows or 1)


@pytest.fixture(scope="session")
def in_blocks_of():
    """Function to a context in which a block has the given number of rows, or all for `None`."""
    return _in_blocks_of


@pytest.fixture(params=[None, 1, 3], ids=["all at once", "rows singly", "rows by three"])
def blocks(request):
    """Runs a test with all rows at once, and in blocks."""
    with _in_blocks_of(request.param):
        yield


@pytest.fixture(params=WAYS_TO_COMPILE[BACKEND])
def compiled(request):
    """Function that compiles a function, in each way of the backend, or returns it unchanged.

    Args of the function: function; its inputs' shapes and dtypes, which TensorFlow alone traces by
    where a shape has a `None`.
    """
    return {"not": _as_it_is, "graph": _graph, "xla": _xla}[request.param]


def _as_it_is(function, *specs):
    return function


def _graph(function, *specs, **options):
    signature = [tf.TensorSpec(*spec) for spec in specs]
    return tf.function(function, signature or None, autograph=False, **options)


def _xla(function, *specs):
    if BACKEND == "tensorflow":
        return _graph(function, *specs, jit_compile=True)
    import jax

    return jax.jit(function)


@pytest.fixture(scope="session")
def largest_tensor():
    """Function that counts the elements of the largest tensor that a function computes."""
    return {"tensorflow": _largest_of_graph, "jax": _largest_of_hlo, "torch": _largest_at_work}[
        BACKEND
    ]


def _largest_of_graph(function, *arguments):
    graph = tf.function(function, autograph=False).get_concrete_function(*arguments).graph
    definition = graph.as_graph_def(add_shapes=True)
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    shapes = [shape for n in nodes for shape in n.attr["_output_shapes"].list.shape]
    return max(math.prod(d.size for d in s.dim) for s in shapes if not s.unknown_rank)


def _largest_of_hlo(function, *arguments):
    import jax

    lowered = jax.jit(lambda *given: function(*given)).lower(*arguments)
    shapes = re.findall(r"tensor<((?:\d+x)+)", lowered.as_text())
    return max(math.prod(map(int, shape[:-1].split("x"))) for shape in shapes)


def _largest_at_work(function, *arguments):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    sizes = []

    class Looking(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            found = operation(*args, **(kwargs or {}))
            leaves = torch.utils._pytree.tree_leaves(found)
            sizes.extend(leaf.numel() for leaf in leaves if isinstance(leaf, torch.Tensor))
            return found

    with Looking():
        function(*arguments)
    return max(sizes)


@pytest.fixture(scope="session")
def largest_kept():
    """Function that counts the elements of the largest tensor kept between the two passes.

    The function runs eagerly. Tensors that existed before do not count.
    """
    between = {"tensorflow": _between_tf, "jax": _between_jax, "torch": _between_torch}[BACKEND]

    def largest(function, *arguments):
        gc.collect()
        before = {id(tensor) for tensor in _alive()}
        passed = between(function, *arguments)
        gc.collect()
        found = [tensor for tensor in [*_alive(), *passed["saved"]] if id(tensor) not in before]
        return max(math.prod(tensor.shape) for tensor in found)

    return largest


def _alive():
    if BACKEND == "jax":
        import jax

        return jax.live_arrays()
    kind = type(ops.zeros(()))
    return [thing for thing in gc.get_objects() if type(thing) is kind]


def _between_tf(function, *arguments):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = function(*arguments)
    return {"value": value, "tape": tape, "saved": []}


def _between_jax(function, *arguments):
    import jax

    value, backward = jax.vjp(function, *arguments)
    return {"value": value, "backward": backward, "saved": []}


def _between_torch(function, *arguments):
    import torch

    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: saved.append(x) or x, lambda x: x):
        value = function(*(x.detach().requires_grad_() for x in arguments))
    return {"value": value, "saved": saved}
