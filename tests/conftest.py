"""What the tests of several rooms share: hypothesis' profile, and the checks of layers and losses.

`check_layer` and `check_loss` are in the manner of Keras' own `run_layer_test`: whatever holds
for every layer or loss is checked there, and a test file only adds what is special to its own.
"""

import json

import hypothesis
import keras
import numpy as np
import pytest
from keras import ops

# The first example of a property may trace a TensorFlow function.
hypothesis.settings.register_profile("nfl_keras", deadline=None)
hypothesis.settings.load_profile("nfl_keras")


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
    """Function that puts a noise layer through what every one of them must do.

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

            at_rest = ops.convert_to_numpy(layer(inputs, training=False))
            np.testing.assert_array_equal(at_rest, ops.convert_to_numpy(ops.cast(inputs, dtype)))
            np.testing.assert_array_equal(at_rest, ops.convert_to_numpy(layer(inputs)))
            noisy = ops.convert_to_numpy(layer(inputs, training=True))
            assert np.all(np.isfinite(noisy.astype("float32")))
            assert np.any(noisy != at_rest)

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
    """Function that puts a loss class through what every one of them must do.

    Args of the function: loss_class; arguments, a dict of all its own constructor arguments;
    targets `[B, ...]` and predictions `[B, C]`, both as arrays.
    """

    def check(loss_class, arguments, targets, predictions):
        batch_size, width = predictions.shape
        for common in ({}, {"reduction": "sum", "name": "renamed"}, {"reduction": None}):
            loss = loss_class(**arguments, **common)
            _check_configuration(loss, {**arguments, **common})
            shape = (batch_size,) if loss.reduction is None else ()
            for dtype in ("float32", "bfloat16"):
                value = loss(targets, ops.cast(predictions, dtype))
                assert value.shape == shape
                assert keras.backend.standardize_dtype(value.dtype) == "float32"
                assert np.all(np.isfinite(value))
                symbolic = loss(
                    keras.KerasTensor(targets.shape, dtype=str(targets.dtype)),
                    keras.KerasTensor(predictions.shape, dtype=dtype),
                )
                assert symbolic.shape == shape
                assert symbolic.dtype == "float32"
        assert loss_class().get_config() == loss_class(**loss_class().get_config()).get_config()

        for policy in ("float32", "mixed_bfloat16"):
            inputs = np.random.default_rng(0).normal(size=(batch_size, 5)).astype("float32")
            model = keras.Sequential(
                [keras.Input((5,)), keras.layers.Dense(width, dtype=policy)], name="network"
            )
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
