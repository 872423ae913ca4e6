"""What the tests of several rooms share: gradients, and the checks of layers and losses.

The tests of layers, losses, models and retrieval run under each of Keras' backends, by
`KERAS_BACKEND=jax` and `KERAS_BACKEND=torch`. What TensorFlow alone can do is marked
`@pytest.mark.tensorflow(reason)` and left out under the others.

`check_layer` and `check_loss` resemble `run_layer_test` of Keras: they check what holds for every
layer or loss, and a test file adds only what is special to its own layer or loss.
"""

import json
import os
import pathlib
import random
import subprocess
import sys

import hypothesis
import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

pytest_plugins = ["encoded_photographs", "run_clusters", "shown_lines"]

BACKEND = keras.config.backend()

# The first example of a property may trace a TensorFlow function, and a machine may be busy. JAX
# compiles each new shape.
patient = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("nfl_keras", max_examples=50, **patient)
hypothesis.settings.register_profile("jax", max_examples=10, **patient)
hypothesis.settings.load_profile("jax" if BACKEND == "jax" else "nfl_keras")


def pytest_configure(config):
    config.addinivalue_line("markers", "tensorflow(reason): only under Keras' TensorFlow backend")
    if BACKEND == "jax":
        import jax

        # Most of its time goes into compiling, often the same small programs.
        quickly = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
        os.environ.setdefault("XLA_FLAGS", quickly)
        jax.config.update("jax_compilation_cache_dir", str(config.rootpath / ".pytest_cache/jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_collection_modifyitems(config, items):
    """Leaves under JAX two cases, drawn by a seed, to each test with more: it compiles each."""
    if BACKEND == "jax":
        cases = {}
        for item in items:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
        draw = random.Random(0)
        kept = {item for same in cases.values() for item in draw.sample(same, min(len(same), 2))}
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


def pytest_runtest_setup(item):
    marker = item.get_closest_marker("tensorflow")
    if marker and BACKEND != "tensorflow":
        pytest.skip(marker.args[0])


@pytest.fixture(scope="session")
def in_a_fresh_process():
    """Function from lines of a program to what it prints, once it has run by itself."""
    root = str(pathlib.Path(__file__).parent.parent)

    def run(*lines):
        finished = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


@pytest.fixture(scope="session")
def value_and_gradients():
    """Function from a scalar function to one of its value and its gradients by float inputs."""
    ways = {"tensorflow": _by_tape, "jax": _by_jax, "torch": _by_autograd}
    return ways[BACKEND]


@pytest.fixture(scope="session")
def gradients_of(value_and_gradients):
    """Function from a scalar function and float32 arguments to its gradients, as arrays."""

    def gradients(function, *arrays):
        inputs = [ops.convert_to_tensor(array, "float32") for array in arrays]
        return [ops.convert_to_numpy(g) for g in value_and_gradients(function)(*inputs)[1]]

    return gradients


def _by_tape(function):
    import tensorflow as tf

    def differentiated(*inputs):
        floats = [x for x in inputs if x.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(floats)
            value = function(*inputs)
        return value, tape.gradient(value, floats)

    return differentiated


def _by_jax(function):
    import jax

    def differentiated(*inputs):
        floats = [i for i, x in enumerate(inputs) if keras.backend.is_float_dtype(str(x.dtype))]
        return jax.value_and_grad(function, floats)(*inputs)

    return differentiated


def _by_autograd(function):
    import torch

    def differentiated(*inputs):
        inputs = [x.detach().requires_grad_(x.is_floating_point()) for x in inputs]
        value = function(*inputs)
        floats = [x for x in inputs if x.requires_grad]
        return value.detach(), torch.autograd.grad(value, floats)

    return differentiated


@pytest.fixture
def dtype_policy():
    """Function that sets Keras' dtype policy, until the end of the test."""
    policy_before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(policy_before)


def _check_configuration(instance, arguments):
    for name, value in arguments.items():
        assert getattr(instance, name) == value, name
    config = json.loads(json.dumps(instance.get_config()))
    assert config == instance.get_config()
    assert type(instance).from_config(config).get_config() == config
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(instance)))
    assert serialized["registered_name"] == f"nfl_keras>{type(instance).__name__}"
    revived = keras.saving.deserialize_keras_object(serialized)
    assert type(revived) is type(instance)
    assert revived.get_config() == config
    for name, value in arguments.items():
        assert getattr(revived, name) == value, name
    assert set(dir(revived)) == set(dir(instance))


@pytest.fixture
def check_layer(tmp_path):
    """Function that checks what holds for every noise layer.

    Args of the function: layer_class; arguments, a dict of all its own constructor arguments;
    input_shape, with the batch.
    """

    def check(layer_class, arguments, input_shape):
        _check_configuration(layer_class(**arguments), arguments)

        inputs = np.random.default_rng(0).uniform(0, 1, input_shape).astype("float32")
        for policy, dtype in (("float32", "float32"), ("mixed_bfloat16", "bfloat16")):
            layer = layer_class(**arguments, dtype=policy)
            layer.build(input_shape)
            assert layer.built
            assert layer.weights == []
            assert layer.variables == [layer.seed_generator.state]
            assert layer.compute_output_shape(input_shape) == input_shape
            for input_dtype in ("float32", "bfloat16", "uint8"):
                symbolic = layer(keras.KerasTensor((None, *input_shape[1:]), dtype=input_dtype))
                assert symbolic.shape == (None, *input_shape[1:])
                assert symbolic.dtype == dtype
                for training in (True, False, None):
                    outputs = layer(ops.cast(inputs, input_dtype), training=training)
                    assert outputs.shape == input_shape
                    assert keras.backend.standardize_dtype(outputs.dtype) == dtype

            inferred = ops.convert_to_numpy(layer(inputs, training=False))
            np.testing.assert_array_equal(inferred, ops.convert_to_numpy(ops.cast(inputs, dtype)))
            np.testing.assert_array_equal(inferred, ops.convert_to_numpy(layer(inputs)))
            noisy = ops.convert_to_numpy(layer(inputs, training=True))
            assert np.all(np.isfinite(noisy.astype("float32")))
            assert np.any(noisy != inferred)

        layer = layer_class(**arguments)
        model = keras.Sequential(
            [keras.Input(input_shape[1:]), layer, keras.layers.Flatten(), keras.layers.Dense(1)]
        )
        model.compile("sgd", loss="mse")
        before = model.get_weights()
        history = model.fit(inputs, np.ones((input_shape[0], 1)), epochs=1, verbose=0).history
        assert np.isfinite(history["loss"][0])
        assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.layers[0].get_config() == layer.get_config()
        np.testing.assert_array_equal(
            loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
        )

    return check


@pytest.fixture
def check_loss(tmp_path):
    """Function that checks what holds for every loss class.

    Args of the function: loss_class; arguments, a dict of all its own constructor arguments;
    targets `[B, ...]` and predictions `[B, C]` or `[B, V, D]`, both as arrays.
    """

    def check(loss_class, arguments, targets, predictions):
        batch_size, *of_one = predictions.shape
        for common in ({}, {"reduction": "sum", "name": "renamed"}, {"reduction": None}):
            loss = loss_class(**arguments, **common)
            _check_configuration(loss, {**arguments, **common})
            shape = (batch_size,) if loss.reduction is None else ()
            for dtype in ("float32", "bfloat16"):
                value = loss(targets, ops.cast(predictions, dtype))
                assert value.shape == shape
                assert keras.backend.standardize_dtype(value.dtype) == "float32"
                assert np.all(np.isfinite(ops.convert_to_numpy(value)))
                symbolic = loss(
                    keras.KerasTensor(targets.shape, dtype=str(targets.dtype)),
                    keras.KerasTensor(predictions.shape, dtype=dtype),
                )
                assert symbolic.shape == shape
                assert symbolic.dtype == "float32"
        assert loss_class().get_config() == loss_class(**loss_class().get_config()).get_config()

        for policy in ("float32", "mixed_bfloat16"):
            inputs = np.random.default_rng(0).normal(size=(batch_size, 5)).astype("float32")
            dense = keras.layers.Dense(predictions[0].size, dtype=policy)
            shaped = keras.layers.Reshape(of_one, dtype=policy)
            model = keras.Sequential([keras.Input((5,)), dense, shaped], name="network")
            model.compile("sgd", loss=loss_class(**arguments))
            before = model.get_weights()
            history = model.fit(inputs, targets, batch_size=batch_size, verbose=0).history
            assert np.isfinite(history["loss"][0])
            assert np.any(before[0] != model.get_weights()[0])
            assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
            model.save(tmp_path / "model.keras")
            loaded = keras.saving.load_model(tmp_path / "model.keras")
            assert isinstance(loaded.loss, loss_class)
            assert loaded.loss.get_config() == loss_class(**arguments).get_config()

    return check


@pytest.fixture(scope="session")
def draw_photographs():
    """Function that draws 6 class folders of 8 small pictures, and gives their folder back."""
    return _draw_photographs


def _draw_photographs(root):
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (6, 2, 3))
    for number, (left, right) in enumerate(colors):
        class_folder = root / f"class {number}"
        class_folder.mkdir(parents=True)
        for image in range(8):
            pixels = np.empty((20, 28, 3))
            pixels[:, :14], pixels[:, 14:] = left, right
            pixels += rng.normal(0, 20, pixels.shape)
            picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            picture.save(class_folder / f"{image}.jpg", quality=95)
    return root
