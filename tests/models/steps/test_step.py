"""What a step does under any backend, held to float64 and finite differences in NumPy."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.models import Embedder, NoiseInvariantModel

TERMS = {"L_D": 1.5, "L_N": 0.5, "L_S": 0.7}
TEMPERATURE, SMOOTHING, DECAY, RATE = 0.4, 0.1, 0.03, 0.1
SIDE, WIDTH, DIMENSION, CLASSES = 3, 5, 4, 3
SHAPES = [
    (SIDE * SIDE * 3, WIDTH),
    (WIDTH,),
    (WIDTH, DIMENSION),
    (DIMENSION,),
    (WIDTH, CLASSES),
    (CLASSES,),
]


@pytest.fixture
def batch():
    """14 images of 3 classes, and a weight for each."""
    generator = np.random.default_rng(0)
    labels = np.arange(14) % CLASSES
    colors = generator.uniform(40, 215, (CLASSES, 1, 1, 3))[labels]
    images = np.clip(colors + generator.normal(0, 30, (14, SIDE, SIDE, 3)), 0, 255)
    return images.astype("float32"), labels, np.linspace(0.5, 2, 14).astype("float32")


@pytest.fixture
def weights():
    generator = np.random.default_rng(1)
    return [generator.normal(0, 0.5 / np.sqrt(shape[0]), shape) for shape in SHAPES]


def make_model(weights):
    """A `NoiseInvariantModel` without noise, of a linear backbone with weight decay."""
    inputs = keras.Input((SIDE, SIDE, 3))
    regularizer = keras.regularizers.L2(DECAY)
    dense = keras.layers.Dense(WIDTH, kernel_regularizer=regularizer)
    backbone = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    embedder = Embedder(backbone, DIMENSION, SIDE, 1 / 127.5, -1.0)
    lambdas = {f"lambda_{name[-1].lower()}": weight for name, weight in TERMS.items()}
    model = NoiseInvariantModel(
        embedder, CLASSES, temperature=TEMPERATURE, noise_stddev=0.0, **lambdas
    )
    model.classifier.noise.scale = 0
    for variable, value in zip(model.trainable_weights, weights, strict=True):
        variable.assign(value)
    return model


def cross_entropies(scores, targets):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return -np.sum(targets * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))), axis=1)


def terms_by_hand(weights, images, labels, sample_weight):
    """L_D, L_N and L_S of a batch, in float64; each class has several images."""
    kernel, bias, projection, offset, classifier, intercept = weights
    pixels = images.astype("float64").reshape(len(images), -1) / 127.5 - 1
    z = pixels @ kernel + bias
    f = z @ projection + offset
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    s = f @ f.T / TEMPERATURE
    same = labels[:, None] == labels
    against = np.log(np.sum(np.where(same, 0, np.exp(s)), axis=1, keepdims=True))
    positives = same & ~np.eye(len(labels), dtype=bool)
    of_pairs = np.where(positives, np.log1p(np.exp(against - s)), 0)
    normal = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-3)
    smoothed = np.full((len(z), CLASSES), SMOOTHING / (CLASSES - 1))
    smoothed[np.arange(len(z)), labels] = 1 - SMOOTHING
    values = [
        of_pairs.sum(axis=1) / positives.sum(axis=1),
        cross_entropies(s, np.eye(len(z))),
        cross_entropies(normal @ classifier + intercept, smoothed),
    ]
    return np.array([np.mean(sample_weight * of_term) for of_term in values])


def objective_by_hand(weights, batch):
    penalty = DECAY * np.sum(weights[0] ** 2)
    return np.dot(list(TERMS.values()), terms_by_hand(weights, *batch)) + penalty


def step_by_hand(weights, batch):
    """The weights after a step of gradient descent."""
    stepped = [weight.copy() for weight in weights]
    for weight, after in zip(weights, stepped, strict=True):
        for place in np.ndindex(weight.shape):
            value, sides = weight[place], []
            for step in (1e-5, -1e-5):
                weight[place] = value + step
                sides.append(objective_by_hand(weights, batch))
            weight[place] = value
            after[place] -= RATE * (sides[0] - sides[1]) / 2e-5
    return stepped


def test_steps_and_what_they_report_are_those_of_float64(batch, weights):
    model = make_model(weights)
    model.compile(keras.optimizers.SGD(RATE))
    images, labels, sample_weight = batch
    history = model.fit(
        images, labels, sample_weight=sample_weight, batch_size=8, shuffle=False, verbose=0
    ).history

    # Batches of 8 and 6: what is reported is the mean over images.
    reported = np.zeros(4)
    for rows in (slice(0, 8), slice(8, 14)):
        part = [array[rows] for array in batch]
        found = [objective_by_hand(weights, part), *terms_by_hand(weights, *part)]
        reported += np.array(found) * len(part[0]) / 14
        weights = step_by_hand(weights, part)
    for variable, expected in zip(model.trainable_weights, weights, strict=True):
        np.testing.assert_allclose(array(variable), expected, rtol=1e-5, atol=1e-5)
    for name, expected in zip(["loss", *TERMS], reported, strict=True):
        np.testing.assert_allclose(history[name], [expected], rtol=1e-5)

    results = model.evaluate(
        images, labels, sample_weight=sample_weight, batch_size=14, verbose=0, return_dict=True
    )
    expected = [objective_by_hand(weights, batch), *terms_by_hand(weights, *batch)]
    np.testing.assert_allclose([results[name] for name in ["loss", *TERMS]], expected, rtol=1e-5)


def test_a_loss_scale_leaves_the_step_as_it_is(batch, weights):
    model = make_model(weights)
    inner = keras.optimizers.SGD(RATE)
    model.compile(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**10))
    logs = model.train_on_batch(*batch, return_dict=True)
    assert logs["loss"] == pytest.approx(objective_by_hand(weights, batch), rel=1e-5)
    for variable, expected in zip(
        model.trainable_weights, step_by_hand(weights, batch), strict=True
    ):
        np.testing.assert_allclose(array(variable), expected, rtol=1e-5, atol=1e-5)


def test_statistics_are_updated_once_and_noise_is_drawn_once_in_a_step(
    make_embedder, images, labels
):
    embedder = make_embedder()
    model = NoiseInvariantModel(embedder, 3, seed=7)
    noisy = array(model.views(images, training=True)["noisy"])
    model.input_noise.seed_generator.state.assign([7, 0])
    convolution, batch_norm = (embedder.backbone.get_layer(name) for name in ("a_conv", "a_bn"))
    maps = array(convolution(np.concatenate([images, noisy]) / np.float32(127.5) - 1))
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(images, labels, batch_size=12, shuffle=False, verbose=0)
    mean, variance = (array(v) for v in (batch_norm.moving_mean, batch_norm.moving_variance))
    np.testing.assert_allclose(mean, 0.01 * maps.mean((0, 1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance, 0.99 + 0.01 * maps.var((0, 1, 2)), rtol=1e-5)

    states = [layer.seed_generator.state for layer in (model.input_noise, model.classifier.noise)]
    assert [array(state).tolist() for state in states] == [[7, 1], [8, 1]]
    model.evaluate(images, labels, verbose=0)
    np.testing.assert_array_equal(array(batch_norm.moving_mean), mean)
    assert [array(state).tolist() for state in states] == [[7, 1], [8, 1]]
    model.fit(images, labels, batch_size=4, verbose=0)
    assert [array(state).tolist() for state in states] == [[7, 4], [8, 4]]


def test_30_steps_of_adam_under_noise(make_embedder, images, labels):
    model = NoiseInvariantModel(make_embedder(), 3, temperature=0.3, seed=7)
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(images, labels, batch_size=12, epochs=30, verbose=0).history
    assert sorted(history) == ["L_D", "L_N", "L_S", "loss"]
    assert all(np.all(np.isfinite(values)) for values in history.values())
    assert len(set(history["L_N"])) == 30
    for name in ("loss", "L_D", "L_S"):
        assert np.mean(history[name][-5:]) < 0.8 * history[name][0]
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
