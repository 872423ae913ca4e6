import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, UnitFeatureNoise
from nfl_keras.models import Embedder, NoiseInvariantModel, freeze_through

SETTINGS = {
    "lambda_n": 0.5,
    "lambda_s": 2.0,
    "lambda_d": 3.0,
    "temperature": 0.3,
    "noise_stddev": 0.2,
    "label_smoothing": 0.15,
    "seed": 7,
}


@pytest.fixture
def make_model(make_embedder):
    """Function to a `NoiseInvariantModel` of 3 classes."""

    def make(embedder=None, **settings):
        return NoiseInvariantModel(embedder or make_embedder(), 3, **{**SETTINGS, **settings})

    return make


def log_softmax(scores):
    scores = np.asarray(scores, "float64")
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def discrimination_by_hand(f, labels, temperature):
    f = array(f).astype("float64")
    losses = []
    for i in range(len(f)):
        s = f @ f[i] / temperature
        against = np.exp(s[labels != labels[i]]).sum()
        positives = [p for p in range(len(f)) if labels[p] == labels[i] and p != i]
        if positives:
            losses.append(np.mean([np.log(1 + against / np.exp(s[p])) for p in positives]))
    return np.mean(losses)


def invariance_by_hand(clean, noisy, temperature):
    clean, noisy = array(clean).astype("float64"), array(noisy).astype("float64")
    return -np.mean(np.diagonal(log_softmax(noisy @ clean.T / temperature)))


def classification_by_hand(model, features, noise, labels):
    z = array(features).astype("float64")
    centered = z - z.mean(axis=1, keepdims=True)
    normal = centered / np.sqrt(
        z.var(axis=1, keepdims=True) + model.classifier.normalization.epsilon
    )
    kernel, bias = model.classifier.get_weights()
    log_p = log_softmax((normal + array(noise)) @ kernel + bias)
    targets = np.full(log_p.shape, model.label_smoothing / (log_p.shape[1] - 1))
    targets[np.arange(len(z)), labels] = 1 - model.label_smoothing
    return -np.mean(np.sum(targets * log_p, axis=1))


def test_objective_by_hand(make_model, make_embedder, images, labels):
    embedder = make_embedder(batch_norm=False)
    model = make_model(embedder)
    outputs = model.outputs(images, labels, training=True)
    loss, means = model.objective(outputs)

    pixel_noise = GaussianInputNoise(255 * 0.2, seed=7)(np.zeros_like(images), training=True)
    feature_noise = UnitFeatureNoise(seed=8)(np.zeros((12, 5), "float32"), training=True)
    clean, noisy = embedder(images), embedder(images + array(pixel_noise))
    found = array(outputs.embeddings["noisy"])
    np.testing.assert_allclose(found, array(noisy), rtol=1e-3, atol=1e-5)
    expected = [
        discrimination_by_hand(clean, labels, 0.3),
        invariance_by_hand(clean, noisy, 0.3),
        classification_by_hand(model, embedder.features(images), feature_noise, labels),
    ]
    assert [term.name for term in model.terms] == ["L_D", "L_N", "L_S"]
    np.testing.assert_allclose([float(mean) for mean in means], expected, rtol=1e-4)
    np.testing.assert_allclose(float(loss), np.dot([3.0, 0.5, 2.0], expected), rtol=1e-4)


def test_evaluates_without_noise(make_model, make_embedder, images, labels):
    embedder = make_embedder()
    model = make_model(embedder)
    model.compile("sgd")
    state = [array(v).copy() for v in model.non_trainable_variables]
    results = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    clean = embedder(images)
    expected = {
        "L_D": discrimination_by_hand(clean, labels, 0.3),
        "L_N": invariance_by_hand(clean, clean, 0.3),
        "L_S": classification_by_hand(model, embedder.features(images), 0, labels),
    }
    expected["loss"] = 3.0 * expected["L_D"] + 0.5 * expected["L_N"] + 2.0 * expected["L_S"]
    assert results == pytest.approx(expected, rel=1e-4)
    again = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    assert again == results
    for before, after in zip(state, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, array(after))


def test_fits_a_dataset_and_reports_each_term(make_model, images, labels):
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(6)
    model = make_model()
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(dataset, epochs=10, validation_data=dataset, verbose=0).history
    names = ["L_D", "L_N", "L_S", "loss"]
    assert sorted(history) == sorted(names + [f"val_{name}" for name in names])
    for prefix in ("", "val_"):
        l_d, l_n, l_s, loss = (np.array(history[prefix + name]) for name in names)
        np.testing.assert_allclose(loss, 3.0 * l_d + 0.5 * l_n + 2.0 * l_s, rtol=1e-5)
        for values in (l_d, l_s, loss):
            assert values[-1] < values[0]
        # Two images of each class in a batch: once classes are compact, both are candidates.
        assert abs(l_n[-1] - np.log(2)) < 0.05
    embeddings = model.predict(dataset, verbose=0)
    np.testing.assert_array_equal(embeddings, model.embedder.predict(dataset, verbose=0))


def test_the_features_of_l_s_may_have_no_noise(make_model, make_embedder, images, labels):
    embedder = make_embedder(batch_norm=False)
    model = make_model(embedder, feature_noise=False)
    _, means = model.objective(model.outputs(images, labels, training=True))
    expected = classification_by_hand(model, embedder.features(images), 0, labels)
    assert float(means[2]) == pytest.approx(expected, rel=1e-4)


ABLATIONS = [
    ({"lambda_n": 0}, ["L_D", "L_S"], 12),
    ({"lambda_s": 0}, ["L_D", "L_N"], 24),
    ({"lambda_d": 0}, ["L_N", "L_S"], 24),
    ({"lambda_n": 0, "lambda_s": 0}, ["L_D"], 12),
    ({"lambda_d": 0, "lambda_s": 0}, ["L_N"], 24),
    ({"lambda_d": 0, "lambda_n": 0}, ["L_S"], 12),
]


# L_S alone leaves the projection without a gradient, which Keras warns of.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
@pytest.mark.parametrize(("settings", "terms", "images_seen"), ABLATIONS)
def test_a_weight_of_0_leaves_out_the_term_and_what_only_it_needs(
    make_model, images, labels, settings, terms, images_seen
):
    batches = []

    class Looking(keras.layers.Layer):
        def call(self, inputs):
            batches.append(array(inputs))
            return inputs

        def compute_output_shape(self, input_shape):
            return input_shape

    inputs = keras.Input((8, 8, 3))
    backbone = keras.Model(inputs, keras.layers.Conv2D(5, 3)(Looking()(inputs)))
    model = make_model(Embedder(backbone, 4, 8), **settings)
    model.compile("sgd", run_eagerly=True)
    logs = model.train_on_batch(images, labels, return_dict=True)
    assert sorted(logs) == [*terms, "loss"]
    assert [batch.shape for batch in batches] == [(images_seen, 8, 8, 3)]
    np.testing.assert_array_equal(batches[0][:12], images)
    if images_seen == 24:
        noise = (batches[0][12:] - images).astype("float64")
        np.testing.assert_allclose(noise.std(), 255 * 0.2, rtol=0.05)
    assert len(model.weights) == (6 if "L_S" in terms else 4)
    weights = {**SETTINGS, **settings}
    expected = sum(weights[f"lambda_{term[-1].lower()}"] * logs[term] for term in terms)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)


def test_every_weight_learns(make_model, images, labels):
    model = make_model()
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    before = {v.path: array(v).copy() for v in model.trainable_variables}
    assert len(before) == 12
    model.fit(images, labels, batch_size=12, epochs=2, verbose=0)
    assert all(np.any(array(v) != before[v.path]) for v in model.trainable_variables)


def test_noise_is_fresh_at_each_step_and_repeatable_by_seed(make_model, images, labels):
    def views(model):
        return [array(model.views(images, training=True)["noisy"]) for _ in range(2)]

    first, second = views(make_model()), views(make_model())
    np.testing.assert_array_equal(first, second)
    assert np.abs(first[0] - first[1]).max() > 1
    assert np.abs(first[0] - views(make_model(seed=8))[0]).max() > 1


def test_frozen_layers_do_not_move(make_model, make_embedder, images, labels):
    embedder = make_embedder()
    freeze_through(embedder.backbone, "a_")
    model = make_model(embedder)
    model.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    before = {v.path: array(v).copy() for v in embedder.variables}
    model.fit(images, labels, batch_size=12, epochs=2, verbose=0)
    moved = {v.path for v in embedder.variables if np.any(array(v) != before[v.path])}
    assert moved == {path for path in before if not path.startswith(("a_conv/", "a_bn/"))}


def test_sample_weights_count_each_anchor(make_model, images, labels):
    model = make_model(lambda_d=0, lambda_n=0)
    model.compile("sgd")
    first = np.repeat([2.0, 0.0], 6)
    weighted = model.evaluate(
        images, labels, batch_size=12, sample_weight=first, verbose=0, return_dict=True
    )
    half = model.evaluate(images[:6], labels[:6], batch_size=6, verbose=0, return_dict=True)
    assert weighted == pytest.approx(half, rel=1e-5)


def test_metrics_of_compile_are_reported(make_model, images, labels):
    def first_coordinate(y_true, y_pred):
        return y_pred[:, 0]

    model = make_model()
    model.compile("sgd", metrics=[first_coordinate], run_eagerly=True)
    results = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    expected = float(np.mean(model.predict(images, verbose=0)[:, 0]))
    assert results["first_coordinate"] == pytest.approx(expected, rel=1e-5)
    history = model.fit(images, labels, verbose=0).history
    assert sorted(history) == ["L_D", "L_N", "L_S", "first_coordinate", "loss"]


def test_images_in_bytes_are_as_good_as_in_float(make_model, images, labels):
    results = []
    for pixels in (images.astype("uint8"), images.astype("uint8").astype("float32")):
        keras.utils.set_random_seed(0)
        model = make_model()
        model.compile("sgd", run_eagerly=True)
        results.append(model.train_on_batch(pixels, labels, return_dict=True))
    assert results[0] == pytest.approx(results[1], rel=1e-5)


def test_labels_may_stand_in_a_column(make_model, images, labels):
    model = make_model()
    model.compile("sgd")
    expected = model.evaluate(images, labels, verbose=0)
    assert model.evaluate(images, labels[:, None], verbose=0) == expected


def test_l_d_is_a_mean_over_the_anchors_that_have_a_positive(make_model, images):
    labels = np.array([0, 0, 1, 2, 2, 2])
    model = make_model()
    outputs = model.outputs(images[:6], labels, training=False)
    _, means = model.objective(outputs)
    expected = discrimination_by_hand(outputs.embeddings["clean"], labels, 0.3)
    np.testing.assert_allclose(float(means[0]), expected, rtol=1e-4)


def test_a_batch_without_any_pair_is_no_accident(make_model, images):
    model = make_model()
    model.compile("sgd", run_eagerly=True)
    for labels in (np.zeros(3), np.arange(3)):
        logs = model.train_on_batch(images[:3], labels.astype("int32"), return_dict=True)
        assert logs["L_D"] == 0
    logs = model.train_on_batch(images[:1], np.zeros(1, "int32"), return_dict=True)
    assert logs["L_N"] == pytest.approx(0, abs=1e-5)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())


def test_mixed_precision_trains_and_stays_finite(dtype_policy, make_model, images, labels):
    dtype_policy("mixed_bfloat16")
    model = make_model(temperature=0.05)
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(images, labels, batch_size=12, epochs=6, verbose=0).history
    assert all(np.all(np.isfinite(values)) for values in history.values())
    assert history["loss"][-1] < history["loss"][0]
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert model.predict(images, verbose=0).dtype == "float32"
    noisy = model.views(keras.ops.convert_to_tensor(images), training=True)["noisy"]
    assert keras.backend.standardize_dtype(noisy.dtype) == "float32"


def test_get_config_makes_the_same_model(make_model):
    model = make_model(name="mine")
    for name, value in SETTINGS.items():
        assert getattr(model, name) == value
    assert model.num_classes == 3
    config = json.dumps(model.get_config())
    revived = NoiseInvariantModel.from_config(json.loads(config))
    assert json.dumps(revived.get_config()) == config
    assert revived.name == "mine"
    assert type(revived.embedder) is Embedder
    defaults = NoiseInvariantModel(model.embedder, 3)
    assert (defaults.lambda_n, defaults.lambda_s, defaults.lambda_d) == (1.0, 1.0, 1.0)
    assert (defaults.temperature, defaults.noise_stddev) == (0.1, 0.1)
    assert defaults.label_smoothing == 0.1


def test_is_saved_whole_and_training_goes_on(make_model, make_embedder, images, labels, tmp_path):
    embedder = make_embedder()
    freeze_through(embedder.backbone, "a_")
    model = make_model(embedder)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(images, labels, batch_size=6, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert type(loaded) is NoiseInvariantModel
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    assert int(loaded.optimizer.iterations) == 4
    for one, other in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(array(one), array(other))

    # Keras keeps no state of random generators in a file; without it the noise starts anew.
    for one, other in (
        (model.input_noise, loaded.input_noise),
        (model.classifier.noise, loaded.classifier.noise),
    ):
        other.seed_generator.state.assign(array(one.seed_generator.state).copy())
    losses = [
        m.fit(images, labels, batch_size=6, shuffle=False, verbose=0).history["loss"]
        for m in (model, loaded)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_embedder_is_saved_on_its_own(make_model, images, labels, tmp_path):
    model = make_model()
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    model.embedder.save(tmp_path / "embedder.keras")
    loaded = keras.saving.load_model(tmp_path / "embedder.keras")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )


@pytest.mark.parametrize(
    "settings",
    [{"lambda_n": 0, "lambda_s": 0, "lambda_d": 0}, {"lambda_n": -1}, {"lambda_s": -0.1}],
)
def test_refuses_weights_that_leave_nothing_or_are_negative(make_model, settings):
    with pytest.raises(UserError, match="none may be below 0 and one must be above"):
        make_model(**settings)


def test_without_a_classifier_there_are_no_logits(make_model):
    with pytest.raises(
        UserError, match=r"NoiseInvariantModel has no classifier .* weight of its softmax above 0"
    ) as error:
        make_model(lambda_s=0).logits(np.zeros((1, 5), "float32"))
    assert "\n" not in str(error.value)


def test_refuses_noise_of_a_negative_stddev(make_model):
    with pytest.raises(UserError, match="stddev must be 0 or more"):
        make_model(noise_stddev=-0.1)


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"label_smoothing": 1.0}])
def test_an_impossible_setting_is_answered_in_one_line(make_model, settings):
    with pytest.raises(UserError, match=next(iter(settings))):
        make_model(**settings)
