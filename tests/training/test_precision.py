"""Training steps in every precision, compiled and not."""

import keras
import numpy as np
import pytest
from keras import ops

import nfl_keras
from nfl_keras.models import Learner, NoiseInvariantModel, Term

PRECISIONS = ["float32", "mixed_bfloat16", "mixed_float16"]


@pytest.fixture
def make_embedder(dtype_policy):
    """Function from a precision to an embedder of a few hundred weights."""

    def make(precision):
        keras.utils.set_random_seed(0)
        dtype_policy(precision)
        layers = keras.layers
        inputs = keras.Input((8, 8, 3))
        x = layers.Conv2D(6, 3, strides=2)(inputs)
        x = layers.Activation("tanh")(layers.BatchNormalization()(x))
        x = layers.Conv2D(5, 2)(x)
        return nfl_keras.models.Embedder(keras.Model(inputs, x), 4, 8, 1 / 127.5, -1.0)

    return make


@pytest.fixture
def images():
    """12 images of 3 classes that differ in their colors."""
    colors = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])[np.arange(12) % 3]
    noise = np.random.default_rng(0).normal(0, 25, (12, 8, 8, 3))
    return np.clip(colors[:, None, None] + noise, 0, 255).astype("float32")


@pytest.fixture
def labels():
    return (np.arange(12) % 3).astype("int64")


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_30_steps_stay_finite_and_the_loss_falls(
    precision, jit_compile, make_embedder, images, labels
):
    model = NoiseInvariantModel(make_embedder(precision), 3, seed=0)
    optimizer = keras.optimizers.Adam(0.01)
    if precision == "mixed_float16":
        # Gradients here come to 2, which the usual first scale, 2^15, takes past float16's 65504.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**12)
    model.compile(optimizer, jit_compile=jit_compile)
    history = model.fit(images, labels, batch_size=12, epochs=30, verbose=0).history
    for name in ("L_D", "L_N", "L_S", "loss"):
        assert np.all(np.isfinite(history[name])), name
    assert np.mean(history["loss"][-3:]) < 0.7 * np.mean(history["loss"][:3])
    assert int(model.optimizer.iterations) == 30
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_the_terms_see_and_give_is_float32_with_the_labels_as_they_are(
    precision, make_embedder, images, labels
):
    seen = []

    def looking(outputs):
        values = ops.sum((outputs.embeddings["clean"] - 1.0) ** 2, axis=1)
        seen.append([keras.backend.standardize_dtype(x.dtype) for x in (outputs.labels, values)])
        return values

    learner = Learner(make_embedder(precision), [Term("looking", 1.0, looking)])
    learner.compile("sgd")
    learner.fit(images, labels, batch_size=12, verbose=0)
    assert seen
    assert all(pair == ["int64", "float32"] for pair in seen)


def losses_of(model, images, name):
    """Function from class ids to what a compiled model reports of 3 steps, each time from now."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    values = [variable.numpy() for variable in variables]

    def losses(ids):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        settings = {"batch_size": 12, "epochs": 3, "shuffle": False, "verbose": 0}
        return model.fit(images, ids, **settings).history[name]

    return losses


@pytest.mark.parametrize("jit_compile", [False, True])
def test_large_class_ids_do_not_collide_through_a_fit(jit_compile, make_embedder, images, labels):
    # 2^24, 2^24 + 1 and 2^24 + 2 are two numbers in float32, and one in bfloat16.
    large = labels + 2**24
    assert len(np.unique(large.astype("float32"))) == 2
    embedder = make_embedder("mixed_bfloat16")
    model = NoiseInvariantModel(embedder, 3, lambda_n=0.0, lambda_s=0.0)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=jit_compile)
    losses = losses_of(model, images, "L_D")
    expected = losses(labels)
    assert len(set(expected)) == 3
    np.testing.assert_array_equal(losses(large), expected)
    collided = losses(large.astype("float32").astype("int64"))
    assert abs(collided[0] - expected[0]) > 0.01


def test_large_class_ids_do_not_collide_in_a_loss_of_compile(make_embedder, images, labels):
    embedder = make_embedder("mixed_bfloat16")
    loss = nfl_keras.losses.ClassDiscriminationLoss()
    embedder.compile(keras.optimizers.Adam(0.01), loss=loss)
    losses = losses_of(embedder, images, "loss")
    expected = losses(labels)
    assert len(set(expected)) == 3
    np.testing.assert_array_equal(losses(labels + 2**24), expected)
    assert abs(losses(np.minimum(labels, 1))[0] - expected[0]) > 0.01


def kernel_steps(embedder, images, labels, weight, **settings):
    """How far one step moves the first kernel, divided by the rate and the term's weight."""

    def values(outputs):
        return ops.sum((outputs.embeddings["clean"] - 1.0) ** 2, axis=1)

    learner = Learner(embedder, [Term("far", weight, values)])
    learner.compile(keras.optimizers.SGD(0.01 / weight), **settings)
    kernel = learner.trainable_weights[0]
    before = kernel.numpy()
    learner.fit(images, labels, batch_size=12, verbose=0)
    return learner, (before - kernel.numpy()) / 0.01


def test_a_scaled_loss_keeps_gradients_that_float16_would_lose(make_embedder, images, labels):
    tiny = 1e-7
    _, expected = kernel_steps(make_embedder("float32"), images, labels, 1.0)
    embedder = make_embedder("mixed_float16")
    _, scaled = kernel_steps(embedder, images, labels, tiny)
    embedder = make_embedder("mixed_float16")
    _, plain = kernel_steps(embedder, images, labels, tiny, auto_scale_loss=False)
    norm = np.linalg.norm(expected)
    assert np.linalg.norm(scaled - expected) < 0.05 * norm
    assert np.linalg.norm(plain - expected) > 0.5 * norm


def test_a_gradient_that_overflows_skips_the_step_and_halves_the_scale(
    make_embedder, images, labels
):
    learner, step = kernel_steps(make_embedder("mixed_float16"), images, labels, 1e4)
    np.testing.assert_array_equal(step, 0.0)
    assert float(learner.optimizer.dynamic_scale) == 2.0**14
    assert int(learner.optimizer.iterations) == 0
    learner.fit(images, labels, batch_size=12, epochs=20, verbose=0)
    assert int(learner.optimizer.iterations) > 0
    assert all(np.all(np.isfinite(weight)) for weight in learner.get_weights())
