import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models import ClassificationModel, Embedder


def array(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture
def make_model(make_backbone):
    """Function to a model with GeM pooling, with or without a projection."""

    def make(embedding_dim=4, neck=True, **settings):
        embedder = Embedder(
            make_backbone(), embedding_dim, 8, 1 / 127.5, -1.0, pooling="gem", neck=neck
        )
        return ClassificationModel(embedder, 3, **settings)

    return make


def before_neck(embedder, features):
    projects = embedder.embedding_dim is not None
    return array(embedder.get_layer("projection")(features) if projects else features)


def loss_by_loops(vectors, kernel, bias, labels, label_smoothing, epsilon):
    """The cross-entropy behind the neck, of one batch in training, in float64."""
    vectors = vectors.astype("float64")
    normal = (vectors - vectors.mean(axis=0)) / np.sqrt(vectors.var(axis=0) + epsilon)
    values = []
    for row, label in zip(normal @ kernel + bias, labels, strict=True):
        log_total = np.log(sum(np.exp(row)))
        shares = [label_smoothing / (len(row) - 1)] * len(row)
        shares[label] = 1 - label_smoothing
        values.append(-sum(s * (x - log_total) for s, x in zip(shares, row, strict=True)))
    return np.mean(values)


@pytest.mark.parametrize("embedding_dim", [4, None])
def test_learns_the_smoothed_cross_entropy_behind_the_neck(
    make_model, images, labels, embedding_dim
):
    model = make_model(embedding_dim, label_smoothing=0.4, class_labels=[2, 5, 90])
    vectors = before_neck(model.embedder, model.embedder.features(images, training=True))
    neck = model.embedder.get_layer("neck")
    model.compile(keras.optimizers.SGD(0.01))
    kernel, bias = model.classifier.get_weights()
    expected = loss_by_loops(vectors, kernel, bias, labels, 0.4, neck.epsilon)
    before = [array(weight) for weight in model.trainable_weights]
    numbers = np.array([2, 5, 90])[labels]
    history = model.fit(images, numbers, batch_size=12, shuffle=False, verbose=0).history
    assert history == {name: pytest.approx([expected], rel=1e-3) for name in ("loss", "L_softmax")}
    mean = array(neck.moving_mean)
    np.testing.assert_allclose(mean, 0.1 * vectors.mean(axis=0), rtol=1e-3, atol=1e-5)
    after = [array(weight) for weight in model.trainable_weights]
    # A bias before a BatchNormalization that takes statistics has no gradient.
    moved = [np.abs(a - b).max() > 1e-7 for a, b in zip(before, after, strict=True)]
    assert sum(moved) >= len(moved) - 3


def test_logits_are_those_of_the_neck_at_rest(make_model, images, labels):
    model = make_model()
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    features = model.embedder.features(images)
    vectors = before_neck(model.embedder, features)
    neck = model.embedder.get_layer("neck")
    gamma, mean, variance = neck.get_weights()
    kernel, bias = model.classifier.get_weights()
    normal = gamma * (vectors - mean) / np.sqrt(variance + neck.epsilon)
    np.testing.assert_allclose(array(model.logits(features)), normal @ kernel + bias, atol=1e-5)
    unit = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    np.testing.assert_allclose(array(model(images)), unit, atol=1e-5)


def sgsl_by_loops(vectors, kernel, labels, epsilon, scale=30.0):
    """SGSL behind the neck, of one batch in training, in float64."""
    vectors = vectors.astype("float64")
    normal = (vectors - vectors.mean(axis=0)) / np.sqrt(vectors.var(axis=0) + epsilon)
    values = []
    for row, label in zip(normal, labels, strict=True):
        cosines = [row @ w / np.linalg.norm(row) / np.linalg.norm(w) for w in kernel.T]
        others = [np.exp(scale * s) for k, s in enumerate(cosines) if k != label]
        values.append(np.log1p(np.exp(np.log(sum(others)) / scale - cosines[label])))
    return np.mean(values)


@pytest.mark.parametrize("learned", [True, False])
def test_adds_sgsl_to_batches_whose_cross_entropy_is_low(make_model, images, labels, learned):
    start = make_model(label_smoothing=0.4)
    vectors = before_neck(start.embedder, start.embedder.features(images, training=True))
    epsilon = start.embedder.get_layer("neck").epsilon
    kernel, bias = start.classifier.get_weights()
    softmax = loss_by_loops(vectors, kernel, bias, labels, 0.4, epsilon)
    bound = softmax + (0.01 if learned else -0.01)
    heads, projections = [], []
    for weight in (0.0, 0.5):
        model = make_model(label_smoothing=0.4, lambda_sgsl=weight, sgsl_below=bound)
        model.set_weights(start.get_weights())
        model.compile(keras.optimizers.SGD(0.1))
        history = model.fit(images, labels, batch_size=12, shuffle=False, verbose=0).history
        heads.append(array(model.classifier.dense.kernel))
        projections.append(array(model.embedder.get_layer("projection").kernel))
    sgsl = sgsl_by_loops(vectors, kernel, labels, epsilon) if learned else 0.0
    expected = {"L_softmax": softmax, "L_sgsl": sgsl, "loss": softmax + 0.5 * sgsl}
    assert history == {name: pytest.approx([x], rel=1e-3) for name, x in expected.items()}
    # The head learns by the cross-entropy alone, and what is below it by both.
    np.testing.assert_allclose(*heads, rtol=1e-4, atol=1e-6)
    assert (np.abs(projections[0] - projections[1]).max() > 1e-4) == learned


def test_is_saved_with_its_neck_and_head(make_model, images, labels, tmp_path):
    model = make_model(label_smoothing=0.2)
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.label_smoothing == 0.2
    expected = model.evaluate(images, labels, batch_size=12, verbose=0)
    assert loaded.evaluate(images, labels, batch_size=12, verbose=0) == pytest.approx(expected)


def test_refuses_settings_that_are_out_of_range(make_model, images, labels):
    with pytest.raises(UserError, match="label_smoothing must lie in"):
        make_model(label_smoothing=1.0)
    with pytest.raises(UserError, match="lambda_sgsl must be 0 or more"):
        make_model(lambda_sgsl=-1.0)
    # -0.6 ln 0.6 - 0.4 ln 0.2 = 0.95, of targets 0.6, 0.2 and 0.2.
    with pytest.raises(UserError, match=r"above 0\.95, so that SGSL would never begin"):
        make_model(label_smoothing=0.4, lambda_sgsl=1.0, sgsl_below=0.95)
    make_model(label_smoothing=0.4, lambda_sgsl=1.0, sgsl_below=0.951)
    with pytest.raises(UserError, match=r"behind the embedder's neck; make .* with neck=True"):
        make_model(neck=False)
    model = make_model()
    model.compile("sgd")
    with pytest.raises(UserError, match="3 is the label of no class"):
        model.fit(images, labels + 1, verbose=0)
