"""What holds for every pair-based loss."""

import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras import losses

LOSSES = {
    "contrastive": losses.ContrastiveLoss(),
    "triplet, all": losses.TripletLoss(mining="all"),
    "triplet, semi-hard": losses.TripletLoss(mining="semi-hard"),
    "triplet, hard": losses.TripletLoss(mining="hard"),
    "lifted structure": losses.LiftedStructureLoss(),
    "n-pairs": losses.NPairsLoss(),
    "epshn": losses.EPSHNLoss(),
    "multi-similarity": losses.MultiSimilarityLoss(),
    "supcon": losses.SupervisedContrastiveLoss(),
    "recall@k": losses.RecallAtKSurrogateLoss(),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def unit_vectors(count, width=6):
    vectors = np.random.default_rng(0).normal(size=(count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


@every_loss
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0] * 6, [0, 1, 2, 3, 4, 5]])
def test_value_and_gradient_stay_finite(gradients_of, loss, labels):
    labels = np.array(labels)
    for embeddings in (
        np.repeat(unit_vectors(1), 6, axis=0),
        unit_vectors(6)[[0, 0, 0, 1, 1, 2]],
        np.array([[1, 0], [1, 0], [-1, 0], [-1, 0], [1, 0], [-1, 0]], "float32"),
        np.zeros((6, 4), "float32"),
    ):
        values = ops.convert_to_numpy(loss.per_anchor(labels, embeddings))
        assert np.all(np.isfinite(values))
        assert np.all(values >= -1e-6)
        [gradient] = gradients_of(lambda f: loss(labels, f), embeddings)
        assert np.all(np.isfinite(gradient))


@every_loss
def test_order_of_the_batch_and_names_of_the_classes_do_not_matter(loss):
    labels, embeddings = np.array([0, 1, 0, 1, 2, 2, 3]), unit_vectors(7)
    values = ops.convert_to_numpy(loss.per_anchor(labels, embeddings))
    # N-pairs goes by the order within each class, which stays.
    order = np.array([4, 1, 6, 0, 5, 3, 2])
    renamed = np.array([1000, -5, 2**30, 0])[labels]
    permuted = ops.convert_to_numpy(loss.per_anchor(renamed[order], embeddings[order]))
    np.testing.assert_allclose(permuted, values[order], rtol=1e-5, atol=1e-6)


@every_loss
def test_value_and_gradient_inside_a_traced_function(compiled, value_and_gradients, loss):
    step = value_and_gradients(lambda f, labels: loss(labels, f))
    traced = compiled(step, ([None, 6], "float32"), ([None], "int32"))
    labels = ops.convert_to_tensor([0, 0, 0, 1, 1, 2, 2, 2, 3], "int32")
    arguments = (ops.convert_to_tensor(unit_vectors(9)), labels)
    value, [gradient] = traced(*arguments)
    expected_value, [expected_gradient] = step(*arguments)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-4)


@every_loss
def test_nothing_is_larger_than_batch_times_batch(largest_tensor, value_and_gradients, loss):
    step = value_and_gradients(lambda f, labels: loss(labels, f))
    labels = ops.convert_to_tensor(np.arange(60) % 20)
    assert largest_tensor(step, ops.convert_to_tensor(unit_vectors(60)), labels) <= 60 * 60


@every_loss
def test_mean_is_over_the_anchors_with_a_term(loss):
    labels, embeddings = np.array([0, 1, 0, 1, 2]), unit_vectors(5)
    values = ops.convert_to_numpy(loss.per_anchor(labels, embeddings))
    assert values[4] == 0
    terms = 2 if isinstance(loss, losses.NPairsLoss) else 4
    np.testing.assert_allclose(loss(labels, embeddings), values.sum() / terms, rtol=1e-5)
    assert float(loss(np.arange(5), embeddings)) == 0


@every_loss
def test_large_class_ids_do_not_collide(loss):
    labels, embeddings = np.array([0, 0, 1, 1, 2, 2]), unit_vectors(6)
    expected = float(loss(labels, embeddings))
    assert float(loss(labels + 2**24, embeddings)) == expected
    assert float(loss(labels + 256, ops.cast(embeddings, "bfloat16"))) == pytest.approx(
        expected, abs=0.1
    )


def test_settings_are_attributes_and_the_config():
    loss = losses.TripletLoss(0.4, mining="hard", name="mine")
    assert loss.settings() == {"margin": 0.4, "mining": "hard"}
    revived = keras.losses.deserialize(keras.losses.serialize(loss))
    assert revived.get_config() == loss.get_config()
    assert (revived.margin, revived.mining, revived.name) == (0.4, "hard", "mine")
