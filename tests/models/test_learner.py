import json

import keras
import numpy as np
import pytest
from keras import ops
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.losses import class_discrimination
from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.models import Learner, Measure, Outputs, Term, freeze_through

FAR = Term("far", 0.5, lambda outputs: 3.0 * outputs.embeddings["clean"][:, 0] ** 2)
BIG = Term("big", 2.0, lambda outputs: ops.sum(outputs.features["clean"] ** 2, axis=1))


def of_labels(name, weight, anchors=None):
    """A term whose value at each anchor is the anchor's label."""
    return Term(name, weight, lambda outputs: ops.cast(outputs.labels, "float32"), anchors)


def is_odd(labels):
    return ops.equal(labels % 2, 1)


class Mirrored(Learner):
    """The clean view and its mirror image, which are to have one embedding."""

    def __init__(self, embedder):
        super().__init__(embedder, [Term("apart", 1.0, self._apart)])

    def views(self, images, training):
        return {"clean": images, "mirrored": ops.flip(images, axis=2)}

    def _apart(self, outputs):
        clean, mirrored = (outputs.embeddings[view] for view in ("clean", "mirrored"))
        return ops.sum((clean - mirrored) ** 2, axis=1)


def test_called_it_is_its_embedder(make_embedder, images):
    embedder = make_embedder()
    learner = Learner(embedder, [FAR])
    np.testing.assert_array_equal(array(learner(images)), array(embedder(images)))
    np.testing.assert_array_equal(
        learner.predict(images, verbose=0), embedder.predict(images, verbose=0)
    )
    assert learner.embedder is embedder


def test_outputs_of_a_batch(make_embedder, images, labels):
    embedder = make_embedder()
    outputs = Mirrored(embedder).outputs(images, labels[:, None], training=False)
    assert isinstance(outputs, Outputs)
    assert outputs.training is False
    np.testing.assert_array_equal(array(outputs.labels), labels)
    for view, pixels in (("clean", images), ("mirrored", images[:, :, ::-1])):
        found, features = array(outputs.embeddings[view]), array(outputs.features[view])
        np.testing.assert_allclose(found, array(embedder(pixels)), atol=1e-6)
        np.testing.assert_allclose(features, array(embedder.features(pixels)), atol=1e-6)


def test_all_views_share_the_statistics_of_one_forward_pass(make_embedder, images, labels):
    embedder = make_embedder()
    passes = []
    original = embedder.features
    embedder.features = lambda stacked, training: (
        passes.append(stacked.shape) or original(stacked, training)
    )
    outputs = Mirrored(embedder).outputs(images, labels, training=True)
    assert passes == [(24, 8, 8, 3)]
    both = array(original(np.concatenate([images, images[:, :, ::-1]]), training=True))
    np.testing.assert_allclose(array(outputs.features["clean"]), both[:12], atol=1e-5)
    np.testing.assert_allclose(array(outputs.features["mirrored"]), both[12:], atol=1e-5)


def test_objective_is_the_weighted_sum_of_means_over_the_anchors_that_have_the_term(make_embedder):
    terms = [
        of_labels("all", 0.5),
        of_labels("odd", 2.0, is_odd),
        of_labels("none", 3.0, lambda labels: labels > 99),
    ]
    learner = Learner(make_embedder(), terms)
    outputs = Outputs({}, {}, ops.convert_to_tensor([1, 2, 3, 6]), training=True)
    loss, means = learner.objective(outputs)
    assert [float(mean) for mean in means] == [12 / 4, (1 + 3) / 2, 0.0]
    assert float(loss) == 0.5 * 3 + 2.0 * 2
    for weights in (np.array([1, 0, 3, 0.5]), np.array([[1], [0], [3], [0.5]])):
        loss, means = learner.objective(outputs, weights)
        assert [float(mean) for mean in means] == [(1 + 9 + 3) / 4, (1 + 9) / 2, 0.0]
        assert float(loss) == 0.5 * 13 / 4 + 2.0 * 5


def test_a_term_of_weight_0_is_not_computed(make_embedder, images, labels):
    def fail(outputs):
        raise AssertionError("the term was computed")

    learner = Learner(make_embedder(), [FAR, Term("off", 0, fail), Term("off too", 0.0, fail)])
    learner.compile("sgd")
    results = learner.evaluate(images, labels, verbose=0, return_dict=True)
    assert sorted(results) == ["far", "loss"]


def test_a_measure_is_reported_over_its_anchors_and_adds_nothing(make_embedder):
    seen = Measure("seen", of_labels("seen", 1.0).values, is_odd)
    learner = Learner(make_embedder(), [of_labels("learned", 0.5)], [seen])
    assert [tracker.name for tracker in learner.term_trackers] == ["learned", "seen"]
    outputs = Outputs({}, {}, ops.convert_to_tensor([1, 2, 3, 6]), training=True, penalty=0.25)
    loss, means = learner.objective(outputs)
    assert [float(mean) for mean in means] == [12 / 4, (1 + 3) / 2]
    assert float(loss) == 0.25 + 0.5 * 3


def test_a_measure_is_not_learned(make_embedder, images, labels):
    logs, weights = [], []
    cases = ([], []), ([], [Measure("seen", BIG.values)]), ([Term("seen", 1.0, BIG.values)], [])
    for terms, measures in cases:
        learner = Learner(make_embedder(), [FAR, *terms], measures)
        learner.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        logs.append(learner.train_on_batch(images, labels, return_dict=True))
        weights.append(learner.get_weights())
    alone, reported, learned = logs
    assert reported.pop("seen") == pytest.approx(learned["seen"], rel=1e-5)
    assert reported == pytest.approx(alone, rel=1e-5)
    for one, other in zip(weights[0], weights[1], strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(weights[0], weights[2], strict=True)) > 1e-2


def test_what_was_drawn_for_each_image_reaches_the_terms(make_embedder, images, labels):
    embedder, drawn = make_embedder(), np.linspace(0, 3, 12).astype("float32")
    along = Term("along", 2.0, lambda outputs: outputs.draws["factor"] * outputs.clean[:, 0])
    learner, views = Learner(embedder, [along]), {"clean": ops.convert_to_tensor(images)}
    draws = {"factor": ops.convert_to_tensor(drawn)}
    loss, _ = learner.objective(learner.outputs_of(views, labels, training=False, draws=draws))
    expected = 2.0 * np.mean(drawn * array(embedder(images))[:, 0])
    assert float(loss) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert learner.outputs_of(views, labels, training=False).draws == {}


def test_reports_each_term_unweighted_and_their_weighted_sum(make_embedder, images, labels):
    learner = Learner(make_embedder(), [FAR, BIG])
    learner.compile("sgd")
    results = learner.evaluate(images, labels, batch_size=5, verbose=0, return_dict=True)
    outputs = learner.outputs(images, labels, training=False)
    far = float(ops.mean(FAR.values(outputs)))
    big = float(ops.mean(BIG.values(outputs)))
    # Batches of 5, 5 and 2: what is reported is the mean over images, not over batches.
    expected = {"far": far, "big": big, "loss": 0.5 * far + 2.0 * big}
    assert results == pytest.approx(expected, rel=1e-5)
    history = learner.fit(
        images, labels, batch_size=5, epochs=2, verbose=0, validation_data=(images, labels)
    ).history
    assert sorted(history) == ["big", "far", "loss", "val_big", "val_far", "val_loss"]
    for prefix in ("", "val_"):
        far, big, loss = (np.array(history[prefix + name]) for name in ("far", "big", "loss"))
        np.testing.assert_allclose(loss, 0.5 * far + 2.0 * big, rtol=1e-5)
        assert loss[0] != loss[1]


def test_a_step_goes_down_the_gradient_of_the_objective(make_embedder, images, labels):
    learner = Mirrored(make_embedder(batch_norm=False))
    learner.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    weight = learner.embedder.get_layer("projection").kernel
    before = array(weight).copy()
    learner.fit(images, labels, batch_size=12, verbose=0)
    moved = (before - array(weight)) / 0.01
    weight.assign(before)

    def loss_at(step):
        weight.assign(before + step)
        return float(learner.objective(learner.outputs(images, labels, training=True))[0])

    direction = moved / np.linalg.norm(moved)
    numeric = (loss_at(1e-2 * direction) - loss_at(-1e-2 * direction)) / 2e-2
    # The other weights have moved by one small step since.
    np.testing.assert_allclose(numeric, np.linalg.norm(moved), rtol=0.1)


def test_sample_weights_and_class_weights_reach_the_terms(make_embedder, images, labels):
    learner = Learner(make_embedder(), [of_labels("label", 1.0)])
    learner.compile(keras.optimizers.SGD(0.0))
    weights = np.linspace(0, 2, 12)
    found = learner.evaluate(images, labels, sample_weight=weights, batch_size=12, verbose=0)
    np.testing.assert_allclose(found[0], np.mean(weights * labels), rtol=1e-6)
    assert learner.evaluate(images, labels, sample_weight=np.zeros(12), verbose=0)[0] == 0


def test_metrics_of_compile_see_labels_and_clean_embeddings(make_embedder, images, labels):
    seen = []

    class Looking(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            seen.append((y_true.shape, y_pred.shape))
            weights = None if sample_weight is None else sample_weight
            super().update_state(y_true, weights)

    learner = Mirrored(make_embedder())
    learner.compile("sgd", metrics=[Looking("plain")], weighted_metrics=[Looking("weighted")])
    weights = (labels == 2).astype("float32")
    results = learner.evaluate(
        images, labels, batch_size=12, sample_weight=weights, verbose=0, return_dict=True
    )
    assert results["plain"] == 1.0
    assert results["weighted"] == 2.0
    assert sorted(results) == ["apart", "loss", "plain", "weighted"]
    assert seen[-1] == ((12,), (12, 4))


def test_metrics_are_of_the_clean_view(make_embedder, images, labels):
    def first_coordinate(y_true, y_pred):
        return y_pred[:, 0]

    embedder = make_embedder()
    learner = Mirrored(embedder)
    learner.compile("sgd", metrics=[first_coordinate], run_eagerly=True)
    results = learner.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    clean, mirrored = (
        float(np.mean(array(embedder(x))[:, 0])) for x in (images, images[:, :, ::-1])
    )
    assert results["first_coordinate"] == pytest.approx(clean, rel=1e-5)
    assert abs(clean - mirrored) > 1e-4 * abs(clean)


def test_regularization_of_the_backbone_is_part_of_the_loss(make_embedder, images, labels):
    embedder = make_embedder(regularizer=keras.regularizers.L2(0.5))
    kernel = embedder.backbone.get_layer("a_conv").kernel
    learner = Learner(embedder, [FAR])
    learner.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    results = learner.evaluate(images, labels, verbose=0, return_dict=True)
    penalty = 0.5 * np.sum(array(kernel) ** 2)
    assert results["loss"] == pytest.approx(0.5 * results["far"] + penalty, rel=1e-5)
    learner.fit(images, labels, epochs=3, verbose=0)
    # Of each step of the gradient 2 * 0.5 * w, 0.1 is taken.
    after = 0.5 * np.sum(array(kernel) ** 2)
    assert after == pytest.approx(0.9**6 * penalty, rel=0.1)


def test_frozen_layers_stay_as_they_are(make_embedder, images, labels):
    embedder = make_embedder()
    freeze_through(embedder.backbone, "a_")
    learner = Learner(embedder, [Term("L_D", 1.0, discrimination, has_pairs)])
    learner.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    before = {v.path: array(v).copy() for v in embedder.variables}
    learner.fit(images, labels, batch_size=12, epochs=2, verbose=0)
    moved = {v.path for v in embedder.variables if np.any(array(v) != before[v.path])}
    assert moved == {path for path in before if not path.startswith(("a_conv/", "a_bn/"))}


def discrimination(outputs):
    return class_discrimination(outputs.embeddings["clean"], outputs.labels, 0.5)


def test_a_term_of_ones_own_is_learned(make_embedder, images, labels):
    learner = Learner(make_embedder(), [Term("L_D", 1.0, discrimination, has_pairs)])
    learner.compile(keras.optimizers.Adam(0.03))
    history = learner.fit(images, labels, batch_size=12, epochs=8, verbose=0).history
    assert history["loss"] == history["L_D"]
    assert history["loss"][-1] < 0.7 * history["loss"][0]


def test_large_class_ids_reach_the_terms_as_they_are(make_embedder, images, labels):
    learner = Learner(make_embedder(), [Term("L_D", 1.0, discrimination, has_pairs)])
    learner.compile("sgd")
    expected = learner.evaluate(images, labels, batch_size=12, verbose=0)[0]
    large = labels.astype("int64") + 2**40
    assert learner.evaluate(images, large, batch_size=12, verbose=0)[0] == expected > 0.1


@keras.saving.register_keras_serializable(package="tests")
class Compact(Learner):
    """A recipe as a user writes one."""

    def __init__(self, embedder, strength: float = 1.0, sides=(1, 2), layer=None, **kwargs):
        super().__init__(embedder, [Term("L_compact", strength, self.compact)], **kwargs)
        self.layer = keras.layers.ReLU(3.0) if layer is None else layer

    def compact(self, outputs):
        return ops.sum((outputs.clean - ops.mean(outputs.clean, axis=0)) ** 2, axis=1)


def test_a_recipe_is_saved_without_a_config_of_its_own(make_embedder, images, labels, tmp_path):
    model = Compact(make_embedder(), 0.5, name="mine")
    model.compile(keras.optimizers.SGD(0.01))
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is Compact
    assert loaded.name == "mine"
    assert loaded.terms[0].weight == 0.5
    assert loaded.layer.max_value == 3.0
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert list(loaded.get_config()["sides"]) == [1, 2]
    np.testing.assert_array_equal(array(loaded(images)), array(model(images)))


def test_a_learner_that_is_given_its_terms_says_why_it_is_not_saved(make_embedder, tmp_path):
    with pytest.raises(UserError, match="that is given its terms cannot be saved") as refused:
        Learner(make_embedder(), [FAR]).save(tmp_path / "model.keras")
    assert "\n" not in str(refused.value)


def test_nothing_to_learn_is_refused(make_embedder):
    with pytest.raises(UserError, match="learns nothing"):
        Learner(make_embedder(), [Term("off", 0.0, BIG.values)], [Measure("seen", BIG.values)])


@pytest.mark.parametrize("weight", [-0.1, float("nan")])
def test_a_weight_below_0_is_refused(weight):
    with pytest.raises(UserError, match="the weight of big must be 0 or more"):
        Term("big", weight, BIG.values)
