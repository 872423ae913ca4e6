import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, RandomView, WindowShuffle
from nfl_keras.models import Embedder, NoiseAssistedModel, freeze_through
from nfl_keras.models.learner import Outputs
from nfl_keras.models.pretext import ClassificationTask, Exemplar, Jigsaw, Rotation

SETTINGS = {
    "window": 4,
    "noise": "shuffle",
    "noise_stddev": 0.2,
    "unit_sum": True,
    "num_classes": 3,
    "lambda_inter": 3.0,
    "lambda_intra": 0.5,
    "lambda_pretext": 2.0,
    "lambda_softmax": 1.5,
    "temperature": 0.3,
    "seed": 7,
}
TERMS = {"L_inter": 3.0, "L_intra": 0.5, "L_pretext": 2.0, "L_softmax": 1.5}


@pytest.fixture
def make_model(make_embedder):
    """Function to a `NoiseAssistedModel` of 3 classes with every term."""

    def make(embedder=None, pretext="rotation", **settings):
        settings = {**SETTINGS, **settings}
        return NoiseAssistedModel(embedder or make_embedder(), pretext=pretext, **settings)

    return make


@keras.saving.register_keras_serializable(package="nfl_keras")
class Darker(ClassificationTask):
    """A task as a user may write one: half of the images are darker by half."""

    def __init__(self, num_classes=2, **kwargs):
        super().__init__(num_classes, **kwargs)

    def render(self, images, draws):
        return ops.where(draws[:, None, None, None] == 1, images / 2, images)


def exact(tensor):
    return ops.convert_to_numpy(tensor).astype("float64")


def softplus_of_sum(exponents):
    return np.log(1 + np.sum(np.exp(exponents)))


def inter_by_hand(f, labels, temperature):
    f, losses = exact(f), []
    for i in range(len(f)):
        s = f @ f[i] / temperature
        mates = [p for p in range(len(f)) if labels[p] == labels[i] and p != i]
        if mates:
            each = [softplus_of_sum(s[labels != labels[i]] - s[p]) for p in mates]
            losses.append(np.mean(each))
    return np.mean(losses)


def intra_by_hand(f, positives, labels, temperature):
    f, losses = exact(f), []
    for i in range(len(f)):
        mates = [n for n in range(len(f)) if labels[n] == labels[i] and n != i]
        if mates:
            s = f[mates] @ f[i]
            own = [exact(p)[i] @ f[i] for p in positives]
            losses.append(sum(softplus_of_sum((s - a) / temperature) for a in own))
    return np.mean(losses)


def cross_entropy_by_hand(features, weights, targets):
    kernel, bias = weights
    logits = exact(features) @ kernel + bias
    losses = [np.log(np.exp(row).sum()) - row[t] for row, t in zip(logits, targets, strict=True)]
    return np.mean(losses)


def sum_of(noisy, other, unit=True):
    joint = exact(noisy) + exact(other)
    return joint / np.linalg.norm(joint, axis=1, keepdims=True) if unit else joint


@pytest.mark.parametrize("unit_sum", [True, False])
@pytest.mark.parametrize("noise", ["shuffle", "gaussian", "none"])
def test_objective_by_hand(make_model, make_embedder, images, labels, noise, unit_sum):
    embedder = make_embedder(batch_norm=False)
    model = make_model(embedder, noise=noise, unit_sum=unit_sum)
    outputs = model.outputs(images, labels, training=True)
    loss, means = model.objective(outputs)

    f = embedder(images)
    noisy = {
        "shuffle": WindowShuffle(4, seed=7),
        "gaussian": GaussianInputNoise(255 * 0.2, seed=7),
        "none": keras.layers.Identity(),
    }[noise](images, training=True)
    other = embedder(RandomView(seed=8)(images, training=True))
    turns = ops.convert_to_numpy(Rotation(seed=9).draw_for(images, training=True))
    turned = np.stack([np.rot90(image, k) for image, k in zip(images, turns, strict=True)])
    positives = [embedder(noisy), sum_of(embedder(noisy), other, unit_sum)]
    z, z_of_turned = embedder.features(images), embedder.features(turned)
    right = np.argmax(ops.convert_to_numpy(model.logits(z)), axis=1) == labels
    expected = {
        "L_inter": inter_by_hand(f, labels, 0.3),
        "L_intra": intra_by_hand(f, positives, labels, 0.3),
        "L_pretext": cross_entropy_by_hand(z_of_turned, model.pretext.head.get_weights(), turns),
        "L_softmax": cross_entropy_by_hand(z, model.classifier.get_weights(), labels),
        "accuracy": np.mean(right),
    }
    assert [tracker.name for tracker in model.term_trackers] == list(expected)
    assert [measure.name for measure in model.measures] == ["accuracy"]
    found = [float(mean) for mean in means]
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-4)
    total = sum(weight * expected[name] for name, weight in TERMS.items())
    np.testing.assert_allclose(float(loss), total, rtol=1e-4)


def test_exemplar_by_hand(make_model, make_embedder, images, labels):
    embedder = make_embedder(batch_norm=False)
    model = make_model(embedder, pretext="exemplar", lambda_intra=0, lambda_softmax=0)
    _, means = model.objective(model.outputs(images, labels, training=True))
    task = Exemplar(seed=9)
    changed = task.render(images, task.draw_for(images, training=True))
    kernel = model.pretext.head.get_weights()[0].astype("float64")
    views = []
    for pixels in (changed, images):
        h = exact(embedder.features(pixels)) @ kernel
        views.append(h / np.linalg.norm(h, axis=1, keepdims=True))
    expected = []
    for i in range(12):
        scores = views[1] @ views[0][i] / 0.1
        expected.append(np.log(np.exp(scores).sum()) - scores[i])
    np.testing.assert_allclose(float(means[1]), np.mean(expected), rtol=1e-4)


def test_jigsaw_by_hand(make_model, make_embedder, images, labels):
    embedder = make_embedder(batch_norm=False)
    model = make_model(embedder, Jigsaw(30, seed=2), lambda_intra=0, lambda_softmax=0)
    _, means = model.objective(model.outputs(images, labels, training=True))
    task = Jigsaw(30, seed=2)
    draws = ops.convert_to_numpy(task.draw_for(images, training=True))
    z = embedder.features(task.render(images, draws))
    expected = cross_entropy_by_hand(z, model.pretext.head.get_weights(), draws)
    np.testing.assert_allclose(float(means[1]), expected, rtol=1e-4)


class Looking(keras.layers.Layer):
    """Keeps the pixels of each pass."""

    def __init__(self):
        super().__init__()
        self.passes = []

    def call(self, inputs):
        if not isinstance(inputs, keras.KerasTensor):
            self.passes.append(ops.convert_to_numpy(inputs))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.fixture
def make_watched():
    """Function to an embedder of few weights, and to the layer that sees what comes in."""

    def make():
        looking, inputs = Looking(), keras.Input((8, 8, 3))
        backbone = keras.Model(inputs, keras.layers.Conv2D(5, 3)(looking(inputs)))
        looking.passes.clear()
        return Embedder(backbone, 4, 8), looking

    return make


LAMBDAS = [f"lambda_{name}" for name in ("inter", "intra", "pretext", "softmax")]
COMBINATIONS = [c for n in range(4) for c in itertools.combinations(LAMBDAS, n)]


# Terms of pooled features alone leave the projection without a gradient, which Keras warns of.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
@pytest.mark.parametrize(
    "off", COMBINATIONS, ids=lambda off: "without " + (", ".join(off) or "none")
)
def test_a_weight_of_0_leaves_out_the_term_and_what_only_it_needs(
    make_watched, make_model, images, labels, off
):
    embedder, looking = make_watched()
    model = make_model(embedder, **dict.fromkeys(off, 0))
    model.compile("sgd", run_eagerly=True)
    logs = model.train_on_batch(images, labels, return_dict=True)
    on = {name[len("lambda_") :] for name in LAMBDAS if name not in off}
    terms = [f"L_{name}" for name in ("inter", "intra", "pretext", "softmax") if name in on]
    reported = [*terms, "loss"] + ["accuracy"] * ("softmax" in on)
    assert sorted(logs) == sorted(reported)
    np.testing.assert_allclose(logs["loss"], sum(TERMS[t] * logs[t] for t in terms), rtol=1e-5)
    views = 1 + 2 * ("intra" in on) + ("pretext" in on)
    assert [batch.shape for batch in looking.passes] == [(12 * views, 8, 8, 3)]
    np.testing.assert_array_equal(looking.passes[0][:12], images)
    # Kernel and bias of convolution and projection, of the task's head, of the classifier.
    assert len(model.weights) == 4 + 2 * ("pretext" in on) + 2 * ("softmax" in on)


@pytest.mark.parametrize(("noise", "views"), [("shuffle", 3), ("gaussian", 3), ("none", 2)])
def test_without_a_task_there_are_two_views_beside_the_clean_one(
    make_watched, make_model, images, labels, noise, views
):
    embedder, looking = make_watched()
    model = make_model(embedder, None, noise=noise)
    model.compile("sgd", run_eagerly=True)
    logs = model.train_on_batch(images, labels, return_dict=True)
    assert "L_pretext" not in logs
    [seen] = looking.passes
    assert seen.shape == (12 * views, 8, 8, 3)
    if noise == "shuffle":
        windows = (seen.reshape(-1, 12, 2, 4, 2, 4, 3).swapaxes(3, 4)[v] for v in (0, 1))
        clean, noisy = (np.sort(w.reshape(12, 4, 16, 3), axis=2) for w in windows)
        np.testing.assert_array_equal(clean, noisy)
        assert np.any(seen[:12] != seen[12:24])
    if noise == "gaussian":
        added = (seen[12:24] - seen[:12]).astype("float64")
        np.testing.assert_allclose(added.std(), 255 * 0.2, rtol=0.05)


def test_the_other_view_may_be_a_layer_of_ones_own(make_model, images, labels):
    model = make_model(augmentation=keras.layers.RandomBrightness((0.5, 0.5), seed=1))
    views = model.views(ops.convert_to_tensor(images), training=True)
    assert list(views) == ["clean", "noisy", "other"]
    brighter = np.clip(images + 0.5 * 255, 0, 255)
    np.testing.assert_allclose(views["other"], brighter, atol=1e-3)
    revived = NoiseAssistedModel.from_config(json.loads(json.dumps(model.get_config())))
    assert type(revived.augmentation) is keras.layers.RandomBrightness
    assert revived.augmentation.get_config() == model.augmentation.get_config()


# Terms of pooled features alone leave the projection without a gradient, which Keras warns of.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
def test_a_task_of_ones_own(make_model, images, labels):
    model = make_model(pretext=Darker(seed=1), lambda_inter=0, lambda_intra=0, lambda_softmax=0)
    model.compile(keras.optimizers.Adam(0.05))
    history = model.fit(images, labels, batch_size=12, epochs=20, verbose=0).history["L_pretext"]
    assert history[0] > 0.4
    assert np.mean(history[-5:]) < 0.6 * history[0]
    revived = NoiseAssistedModel.from_config(json.loads(json.dumps(model.get_config())))
    assert type(revived.pretext) is Darker
    assert revived.pretext.seed == 1


@pytest.mark.parametrize("pretext", ["rotation", "exemplar", "jigsaw"])
def test_evaluates_without_noise_and_the_same_each_time(
    make_model, make_embedder, images, labels, pretext
):
    embedder = make_embedder()
    model = make_model(embedder, pretext)
    model.compile("sgd", run_eagerly=True)
    state = [v.numpy() for v in model.non_trainable_variables]
    results = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    f = embedder(images)
    expected = {
        "L_inter": inter_by_hand(f, labels, 0.3),
        "L_intra": intra_by_hand(f, [f, f], labels, 0.3),
    }
    for name, value in expected.items():
        assert results[name] == pytest.approx(value, rel=1e-4)
    total = sum(weight * results[name] for name, weight in TERMS.items())
    assert results["loss"] == pytest.approx(total, rel=1e-4)
    again = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    assert again == results
    for before, after in zip(state, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, after)


def test_fits_a_dataset_and_reports_each_term(make_model, images, labels):
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(6)
    model = make_model()
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(dataset, epochs=8, validation_data=dataset, verbose=0).history
    names = [*TERMS, "accuracy", "loss"]
    assert sorted(history) == sorted(names + [f"val_{name}" for name in names])
    for prefix in ("", "val_"):
        total = sum(weight * np.array(history[prefix + name]) for name, weight in TERMS.items())
        np.testing.assert_allclose(history[f"{prefix}loss"], total, rtol=1e-5)
        # The terms pull in different ways: L_inter is near 0 from the start, and may rise.
        for name in ("L_softmax", "loss"):
            assert history[prefix + name][-1] < history[prefix + name][0]
    assert history["val_accuracy"][-1] == 1.0
    embeddings = model.predict(dataset, verbose=0)
    np.testing.assert_array_equal(embeddings, model.embedder.predict(dataset, verbose=0))


def test_accuracy_is_reported_and_not_learned(make_model, images, labels):
    model = make_model(lambda_inter=0, lambda_intra=0, lambda_pretext=0)
    model.compile("sgd", run_eagerly=True)
    results = model.evaluate(images, labels, batch_size=5, verbose=0, return_dict=True)
    logits = ops.convert_to_numpy(model.logits(model.embedder.features(images)))
    assert results["accuracy"] == pytest.approx(np.mean(np.argmax(logits, axis=1) == labels))
    assert results["loss"] == pytest.approx(1.5 * results["L_softmax"], rel=1e-6)


def test_without_a_classifier_there_are_no_logits(make_model):
    model = make_model(lambda_softmax=0)
    with pytest.raises(
        UserError, match=r"NoiseAssistedModel has no classifier .* weight of its softmax above 0"
    ) as error:
        model.logits(ops.zeros((1, 5)))
    assert "\n" not in str(error.value)


def test_every_weight_learns(make_model, images, labels):
    model = make_model()
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    before = {v.path: v.numpy() for v in model.trainable_variables}
    assert len(before) == 14
    model.fit(images, labels, batch_size=12, epochs=2, verbose=0)
    assert all(np.any(v.numpy() != before[v.path]) for v in model.trainable_variables)


def test_intra_class_diversity_keeps_a_class_apart(make_model, images, labels):
    """Trained with L_inter alone a class collapses further than with L_intra beside it."""
    spreads = []
    for lambda_intra in (0.0, 1.0):
        keras.utils.set_random_seed(0)
        settings = {"lambda_inter": 1, "lambda_softmax": 0, "temperature": 0.1, "noise": "none"}
        model = make_model(pretext=None, lambda_intra=lambda_intra, **settings)
        model.compile(keras.optimizers.Adam(0.01))
        model.fit(images, labels, batch_size=12, epochs=15, verbose=0)
        f = model.predict(images, verbose=0)
        similarity = (f @ f.T)[(labels[:, None] == labels) & ~np.eye(12, dtype=bool)]
        spreads.append(1 - similarity.mean())
    assert spreads[1] > 2 * spreads[0]


def test_views_are_fresh_at_each_step_and_repeatable_by_seed(make_model, images, labels):
    def drawn(model):
        found = []
        for _ in range(2):
            outputs = model.outputs(images, labels, training=True)
            views = model.views(images, training=True)
            found.append([views["noisy"], views["other"], outputs.draws["pretext"]])
        return [[ops.convert_to_numpy(array) for array in one] for one in found]

    first, second = drawn(make_model(pretext="jigsaw")), drawn(make_model(pretext="jigsaw"))
    other = drawn(make_model(pretext="jigsaw", seed=8))
    for i in range(3):
        for step in range(2):
            np.testing.assert_array_equal(first[step][i], second[step][i])
        assert np.any(first[0][i] != first[1][i])
        assert np.any(first[0][i] != other[0][i])


def test_a_batch_without_any_pair_is_no_accident(make_model, images):
    model = make_model(pretext="exemplar")
    model.compile("sgd", run_eagerly=True)
    logs = model.train_on_batch(images[:3], np.arange(3, dtype="int32"), return_dict=True)
    assert logs["L_inter"] == logs["L_intra"] == 0
    logs = model.train_on_batch(images[:3], np.zeros(3, "int32"), return_dict=True)
    assert logs["L_inter"] == 0
    assert logs["L_intra"] > 0
    logs = model.train_on_batch(images[:1], np.zeros(1, "int32"), return_dict=True)
    assert logs["L_pretext"] == pytest.approx(0, abs=1e-5)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())


def test_opposite_views_have_a_gradient(make_model, labels, gradients_of):
    """f# of two opposite embeddings is 0 / 0 by the letter."""
    [intra] = make_model(pretext=None, lambda_inter=0, lambda_softmax=0).terms
    f = np.eye(4, dtype="float32")[np.arange(12) % 4]
    targets = ops.convert_to_tensor(labels)

    def total(clean, noisy, other):
        views = {"clean": clean, "noisy": noisy, "other": other}
        return ops.sum(intra.values(Outputs(views, {}, targets, training=True)))

    for gradient in gradients_of(total, f, f, -f):
        assert np.all(np.isfinite(gradient))
        assert np.abs(gradient).max() < 1e8


@pytest.mark.parametrize("pretext", ["exemplar", "jigsaw"])
def test_mixed_precision_trains_and_stays_finite(dtype_policy, make_model, images, labels, pretext):
    dtype_policy("mixed_bfloat16")
    model = make_model(pretext=pretext, temperature=0.05)
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(images, labels, batch_size=12, epochs=6, verbose=0).history
    assert all(np.all(np.isfinite(values)) for values in history.values())
    assert history["loss"][-1] < history["loss"][0]
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert all(weight.dtype == "float32" for weight in model.weights)
    views = model.views(ops.convert_to_tensor(images), training=True)
    assert {keras.backend.standardize_dtype(v.dtype) for v in views.values()} == {"float32"}


def test_images_in_bytes_are_as_good_as_in_float(make_model, images, labels):
    results = []
    for pixels in (images.astype("uint8"), images.astype("uint8").astype("float32")):
        keras.utils.set_random_seed(0)
        model = make_model(pretext="exemplar")
        model.compile("sgd", run_eagerly=True)
        results.append(model.train_on_batch(pixels, labels, return_dict=True))
    assert results[0] == pytest.approx(results[1], rel=1e-5)


def test_frozen_layers_do_not_move(make_model, make_embedder, images, labels):
    embedder = make_embedder()
    freeze_through(embedder.backbone, "a_")
    model = make_model(embedder)
    model.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    before = {v.path: v.numpy() for v in embedder.variables}
    model.fit(images, labels, batch_size=12, epochs=2, verbose=0)
    moved = {v.path for v in embedder.variables if np.any(v.numpy() != before[v.path])}
    assert moved == {path for path in before if not path.startswith(("a_conv/", "a_bn/"))}


@pytest.mark.parametrize("pretext", [None, "rotation", "exemplar", Jigsaw(10, seed=1)])
def test_get_config_makes_the_same_model(make_model, pretext):
    model = make_model(pretext=pretext, name="mine")
    for name, value in SETTINGS.items():
        assert getattr(model, name) == value
    config = json.dumps(model.get_config())
    revived = NoiseAssistedModel.from_config(json.loads(config))
    assert json.dumps(revived.get_config()) == config
    assert revived.name == "mine"
    assert type(revived.embedder) is Embedder
    assert type(revived.pretext) is type(model.pretext)
    defaults = NoiseAssistedModel(model.embedder)
    assert (defaults.lambda_inter, defaults.lambda_intra, defaults.lambda_softmax) == (1, 1, 0)
    assert (defaults.window, defaults.noise, defaults.pretext) == (8, "shuffle", None)
    assert (defaults.temperature, defaults.unit_sum) == (0.1, True)


@pytest.mark.parametrize("pretext", ["exemplar", "jigsaw"])
def test_is_saved_whole_and_training_goes_on(make_model, images, labels, tmp_path, pretext):
    model = make_model(pretext=pretext)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.fit(images, labels, batch_size=12, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is NoiseAssistedModel
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    evaluated = [m.evaluate(images, labels, verbose=0, return_dict=True) for m in (model, loaded)]
    assert evaluated[0] == evaluated[1]
    # Keras keeps no state of random generators in a file; without it what is drawn starts anew.
    for part in ("input_noise", "augmentation", "pretext"):
        state = getattr(model, part).seed_generator.state.numpy()
        getattr(loaded, part).seed_generator.state.assign(state)
    losses = [
        m.fit(images, labels, batch_size=6, shuffle=False, verbose=0).history["loss"]
        for m in (model, loaded)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_embedder_is_served_without_task_and_classifier(
    make_model, images, labels, predict_elsewhere
):
    model = make_model(pretext="jigsaw")
    model.compile("sgd", run_eagerly=True)
    model.fit(images, labels, verbose=0)
    expected = model.predict(images, verbose=0)
    # JAX compiles what it predicts with, and rounds otherwise than a step that is not compiled.
    atol = 0 if keras.config.backend() == "tensorflow" else 1e-6
    found = predict_elsewhere(model.embedder, images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict.fromkeys(LAMBDAS, 0), "leave nothing to learn"),
        ({**dict.fromkeys(LAMBDAS, 0), "lambda_pretext": 1, "pretext": None}, "leave nothing"),
        ({"lambda_intra": -1}, "none may be below 0"),
        ({"noise": "salt"}, "noise must be one of shuffle, gaussian, none, not 'salt'"),
        ({"noise_stddev": -0.1}, "noise_stddev must be 0 or more"),
        ({"window": 0}, "window must be a whole number"),
        ({"num_classes": None}, "needs num_classes"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"pretext": "colors"}, "there is no pretext task 'colors'"),
    ],
)
def test_an_impossible_setting_is_answered_in_one_line(make_model, settings, message):
    with pytest.raises(UserError, match=message) as error:
        make_model(**settings)
    assert "\n" not in str(error.value)
