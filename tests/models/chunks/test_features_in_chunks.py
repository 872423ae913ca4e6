"""Learning by chunks, held to one pass over the whole batch and to a plain loop over chunks."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from nfl_keras.errors import UserError
from nfl_keras.models import (
    ClassificationModel,
    Embedder,
    NoiseAssistedModel,
    NoiseInvariantModel,
    freeze_through,
)
from nfl_keras.models.chunks.features_in_chunks import features_in_chunks
from nfl_keras.models.network_cut import NetworkCut

array = ops.convert_to_numpy
EAGERLY = {"run_eagerly": keras.config.backend() == "tensorflow"}  # That is faster for one step.


def make_embedder(*middle, **arguments):
    """An embedder of two convolutions, with other layers between them."""
    first = layers.Conv2D(6, 3, strides=2, kernel_regularizer="l2", name="first")
    network = [first, *middle, layers.Activation("tanh"), layers.Conv2D(5, 2, name="second")]
    backbone = keras.Sequential([keras.Input((8, 8, 3)), *network])
    return Embedder(backbone, 4, 8, 1 / 127.5, -1.0, **arguments)


def step(model, images, labels, chunk_size, optimizer=None, **settings):
    """The change of each weight in a step, and what is reported."""
    model.chunk_size = chunk_size
    model.compile(optimizer or keras.optimizers.SGD(1.0), **settings)
    before = [array(weight) for weight in model.trainable_weights]
    logs = model.train_on_batch(images, labels, return_dict=True)
    after = [array(weight) for weight in model.trainable_weights]
    changes = [value - was for value, was in zip(after, before, strict=True)]
    return np.concatenate([np.ravel(change) for change in changes]), logs


def invariant(embedder):
    return NoiseInvariantModel(embedder, 3, temperature=0.3, seed=7)


def assisted(embedder):
    settings = {"num_classes": 3, "lambda_softmax": 0.5, "temperature": 0.3, "seed": 7}
    return NoiseAssistedModel(embedder, 4, "jigsaw", **settings)


def frozen(embedder):
    freeze_through(embedder.backbone, "first")
    return invariant(embedder)


def classified(embedder):
    return ClassificationModel(embedder, 3, lambda_sgsl=1.0)


def assert_equal(found, expected):
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6 * np.linalg.norm(expected[0]))
    assert found[1].keys() == expected[1].keys()
    for name, value in expected[1].items():
        np.testing.assert_allclose(found[1][name], value, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [(invariant, {}), (assisted, EAGERLY), (frozen, EAGERLY), (classified, {})],
)
def test_a_step_by_chunks_is_that_of_the_whole_batch(recipe, settings, images, labels):
    found = []
    for chunk_size in (5, 0):
        keras.utils.set_random_seed(0)
        model = recipe(make_embedder(neck=True))
        found.append(step(model, images, labels, chunk_size, **settings))
    assert np.linalg.norm(found[1][0]) > 0.1
    assert_equal(*found)


@pytest.mark.tensorflow("the gradient is TensorFlow's")
@pytest.mark.parametrize("count", [1, 2, 11, 12])
@pytest.mark.parametrize("chunk_size", [1, 3, 11, 40])
def test_the_gradient_in_float64_is_that_of_the_whole_batch(count, chunk_size, dtype_policy):
    import tensorflow as tf

    dtype_policy("float64")
    embedder = make_embedder()
    generator = np.random.default_rng(0)
    images, upstream = (
        generator.uniform(0, 255, (count, 8, 8, 3)),
        generator.normal(0, 1, (count, 5)),
    )
    sizes = []

    def features_of(rows):
        sizes.append(len(rows))
        return embedder.features(rows, training=True)

    found = []
    for by_chunks in (True, False):
        with tf.GradientTape() as tape:
            if by_chunks:
                features = features_in_chunks(features_of, embedder, images, chunk_size)
                chunks = len(sizes)
            else:
                features = embedder.features(images, training=True)
            loss = ops.sum(upstream * features**2)
        found.append([features, *tape.gradient(loss, embedder.backbone.trainable_weights)])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    # Each image goes through the network twice, in chunks of one size.
    assert chunks == -(-count // chunk_size)
    assert len(sizes) == 2 * chunks
    assert len(set(sizes)) == 1
    assert sizes[0] <= chunk_size
    assert count <= chunks * sizes[0] < count + chunks


def test_random_layers_and_batch_statistics_are_those_of_a_loop_over_chunks(images, labels):
    found = []
    for chunk_size in (8, 0):
        keras.utils.set_random_seed(0)
        batch_norm, dropout = layers.BatchNormalization(momentum=0.5), layers.Dropout(0.3, seed=3)
        embedder = make_embedder(batch_norm, dropout)
        features_of = embedder.features

        def by_loop(rows, training, features_of=features_of):
            parts = [features_of(rows[k::3], training=training) for k in range(3)]
            return ops.reshape(ops.stack(parts, axis=1), (24, 5))

        if not chunk_size:
            embedder.features = by_loop
        model = invariant(embedder)
        views = list(model.views(images, training=True).values())
        model.input_noise.seed_generator.state.assign([7, 0])
        convolved = array(embedder.backbone.layers[0](ops.concatenate(views) / 127.5 - 1))
        found.append(step(model, images, labels, chunk_size, **EAGERLY))
        assert array(dropout.seed_generator.state).tolist() == [3, 3]
        if chunk_size:
            # One update, by the mean of what the chunks have.
            mean = np.mean([convolved[k::3].mean((0, 1, 2)) for k in range(3)], axis=0)
            variance = np.mean([convolved[k::3].var((0, 1, 2)) for k in range(3)], axis=0)
            np.testing.assert_allclose(array(batch_norm.moving_mean), mean / 2, atol=1e-5)
            np.testing.assert_allclose(
                array(batch_norm.moving_variance), (1 + variance) / 2, rtol=1e-4
            )
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-5)


@pytest.mark.tensorflow("learners take such batches there")
def test_the_upper_part_of_a_cut_network_learns_by_chunks(images, labels):
    found = []
    for chunk_size in (5, 0):
        keras.utils.set_random_seed(0)
        model = frozen(make_embedder())
        model.cut = NetworkCut.of(model.embedder)
        views = {name: images + shift for name, shift in (("clean", 0), ("noisy", 9))}
        lower = {name: array(model.cut.lower(view)) for name, view in views.items()}
        found.append(step(model, {"views": lower, "draws": {}}, labels, chunk_size, **EAGERLY))
    assert_equal(*found)


@pytest.mark.tensorflow("XLA and loss scales are tested there")
@pytest.mark.parametrize(
    ("precision", "settings"),
    [("mixed_bfloat16", EAGERLY), ("mixed_float16", {"jit_compile": True})],
)
def test_chunks_in_half_precision(precision, settings, dtype_policy, images, labels):
    dtype_policy(precision)
    found = []
    for chunk_size, how in ((8, settings), (0, EAGERLY)):
        keras.utils.set_random_seed(0)
        optimizer = keras.optimizers.SGD(1.0)
        if precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**8)
        # XLA draws other random numbers.
        model = NoiseInvariantModel(make_embedder(), 3, temperature=0.3, noise_stddev=0.0)
        model.classifier.noise.scale = 0.0
        found.append(step(model, images, labels, chunk_size, optimizer, **how))
    (own, logs), (expected, _) = found
    # The sums of a chunk and of a batch are rounded to 8 bits apart, on some processors by 2%.
    assert np.linalg.norm(own - expected) < 0.05 * np.linalg.norm(expected)
    assert np.isfinite(logs["loss"])


def activity():
    return layers.ActivityRegularization(0.1, name="sparse")


def synchronized():
    return layers.BatchNormalization(synchronized=True, name="norm")


@pytest.mark.parametrize(
    ("make_layer", "message"),
    [
        (activity, "the loss that the layer 'sparse' adds"),
        pytest.param(
            synchronized,
            "statistics of the layer 'norm'",
            marks=pytest.mark.tensorflow("only there layers can be synchronized"),
        ),
    ],
)
def test_what_chunks_cannot_do_is_named(make_layer, message, images, labels):
    model = invariant(make_embedder(make_layer()))
    with pytest.raises(UserError, match=message):
        step(model, images, labels, 5)


@pytest.mark.tensorflow("the strategy is TensorFlow's")
def test_a_strategy_can_be_entered_after_an_error_in_a_chunk(images, labels):
    import tensorflow as tf

    with pytest.raises(UserError, match="sparse"):
        step(invariant(make_embedder(activity())), images, labels, 5)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert tf.distribute.has_strategy()
