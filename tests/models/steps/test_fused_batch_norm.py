import keras
import numpy as np
import pytest

from nfl_keras.models import NoiseInvariantModel, freeze_batch_norm, synchronize_batch_norm

pytestmark = pytest.mark.tensorflow("the fused kernel is TensorFlow's")

SHAPES = {"maps": (5, 4, 3, 6), "one value per channel": (1, 1, 1, 6)}


def take(fuse, inputs, policy="float32", training=True, **arguments):
    """What a layer gives, its gradients and what it keeps, with the kernel or without."""
    import tensorflow as tf

    from nfl_keras.models.steps.fused_batch_norm import fused_batch_norm

    layer = keras.layers.BatchNormalization(momentum=0.7, dtype=policy, **arguments)
    layer.build(inputs.shape)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    model = keras.Sequential([layer])
    inputs = tf.cast(tf.constant(inputs), layer.compute_dtype)
    upstream = tf.constant(generator.normal(size=inputs.shape).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        if fuse:
            with fused_batch_norm(model):
                assert "call" in vars(layer)
                outputs = model(inputs, training=training)
            assert "call" not in vars(layer)
        else:
            outputs = model(inputs, training=training)
        value = tf.reduce_sum(tf.cast(outputs, tf.float32) * upstream)
    gradients = tape.gradient(value, [inputs, *(w.value for w in layer.trainable_weights)])
    assert outputs.dtype == inputs.dtype
    arrays = [outputs, *gradients, *layer.get_weights()]
    return [tf.cast(array, tf.float32).numpy() for array in arrays]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("arguments", [{}, {"scale": False}, {"center": False, "epsilon": 1e-5}])
def test_outputs_gradients_and_statistics_are_those_of_keras(shape, arguments):
    inputs = np.random.default_rng(0).normal(2, 3, SHAPES[shape]).astype("float32")
    for found, expected in zip(
        take(True, inputs, **arguments), take(False, inputs, **arguments), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_rounds_only_what_goes_in_and_out(policy):
    inputs = np.random.default_rng(0).normal(2, 3, SHAPES["maps"]).astype("float32")
    rounding = {"mixed_bfloat16": 2.0**-8, "mixed_float16": 2.0**-11}[policy]
    for found, expected in zip(
        take(True, inputs, policy), take(False, inputs, policy), strict=True
    ):
        limit = 3 * rounding * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


def test_at_rest_the_layer_is_as_it_was():
    inputs = np.random.default_rng(0).normal(2, 3, SHAPES["maps"]).astype("float32")
    for found, expected in zip(
        take(True, inputs, training=False), take(False, inputs, training=False), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("prepare", [freeze_batch_norm, synchronize_batch_norm])
def test_frozen_and_synchronized_layers_are_left_to_keras(make_embedder, prepare):
    from nfl_keras.models.steps.fused_batch_norm import fused_batch_norm

    embedder = make_embedder()
    prepare(embedder.backbone)
    with fused_batch_norm(embedder):
        assert all("call" not in vars(layer) for layer in embedder.backbone.layers)


def test_layers_are_restored_when_a_step_fails_and_take_no_second_kernel(make_embedder):
    from nfl_keras.models.steps.fused_batch_norm import fused_batch_norm

    embedder = make_embedder()
    layer = embedder.backbone.get_layer("a_bn")
    with fused_batch_norm(embedder):
        inner = layer.call
        with fused_batch_norm(embedder):
            assert layer.call is inner
        assert layer.call is inner
    assert "call" not in vars(layer)
    with pytest.raises(ZeroDivisionError), fused_batch_norm(embedder):
        raise ZeroDivisionError
    assert "call" not in vars(layer)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_step_trains_as_with_the_layers_of_keras(
    make_embedder, images, labels, monkeypatch, jit_compile
):
    import contextlib

    from nfl_keras.models.steps import tensorflow_step

    found = {}
    for kernel in (tensorflow_step.fused_batch_norm, contextlib.nullcontext):
        monkeypatch.setattr(tensorflow_step, "fused_batch_norm", kernel)
        keras.utils.set_random_seed(0)
        model = NoiseInvariantModel(make_embedder(), 3, temperature=0.5, seed=1)
        model.compile(keras.optimizers.SGD(0.05), jit_compile=jit_compile)
        model.fit(images, labels, batch_size=12, epochs=5, shuffle=False, verbose=0)
        found[kernel] = model.get_weights()
    for with_kernel, without in zip(*found.values(), strict=True):
        np.testing.assert_allclose(with_kernel, without, rtol=1e-3, atol=1e-4)
