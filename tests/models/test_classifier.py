import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import UnitFeatureNoise
from nfl_keras.losses import noisy_classification
from nfl_keras.models import Classifier, NoiseInvariantModel


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_labels_are_mapped_to_positions_of_logits(dtype):
    classifier = Classifier(5, [3, 5, 9])
    found = classifier.positions(np.array([9, 3, 5, 3, 4, 10, 0], dtype))
    assert ops.convert_to_numpy(found).tolist() == [2, 0, 1, 0, 3, 3, 3]
    assert keras.backend.standardize_dtype(found.dtype) == "int32"


@pytest.mark.tensorflow("the graph is TensorFlow's")
def test_labels_are_mapped_in_a_graph():
    tf = pytest.importorskip("tensorflow")
    classifier = Classifier(5, [3, 5, 9])
    graph = tf.function(classifier.positions, input_signature=[tf.TensorSpec([None], tf.int32)])
    assert graph(np.array([9, 5], "int32")).numpy().tolist() == [2, 1]


def test_the_loss_and_what_is_right_are_those_of_the_mapped_labels(features):
    classifier = Classifier(5, [3, 5, 9])
    logits = classifier(features)
    labels, positions = np.array([3, 9, 5, 5, 3, 9]), np.array([0, 2, 1, 1, 0, 2])
    np.testing.assert_allclose(
        ops.convert_to_numpy(classifier.cross_entropy(features, labels)),
        ops.convert_to_numpy(noisy_classification(logits, positions, 0.0)),
        rtol=1e-5,
    )
    right = np.argmax(ops.convert_to_numpy(logits), axis=1) == positions
    found = ops.convert_to_numpy(classifier.is_right(features, labels))
    assert found.tolist() == right.astype("float32").tolist()
    assert 0 < found.sum() < 6


def test_features_are_normalized_and_get_noise_in_training_alone(features):
    classifier = Classifier(5, range(3), normalize=True, noise=UnitFeatureNoise(seed=1))
    normal = features - features.mean(axis=1, keepdims=True)
    normal /= np.sqrt(features.var(axis=1, keepdims=True) + classifier.normalization.epsilon)
    kernel, bias = classifier.get_weights()
    found = ops.convert_to_numpy(classifier(features))
    np.testing.assert_allclose(found, normal @ kernel + bias, atol=1e-5)
    noisy = ops.convert_to_numpy(classifier(features, training=True))
    noise = ops.convert_to_numpy(UnitFeatureNoise(seed=1)(np.zeros_like(features), training=True))
    np.testing.assert_allclose(noisy, (normal + noise) @ kernel + bias, atol=1e-5)


@pytest.mark.parametrize("labels", [[1, 1], [2, 1], [], [0.0, 1.0], [[0, 1]], 3])
def test_labels_that_do_not_ascend_are_refused(labels):
    with pytest.raises(UserError, match="class_labels must") as refused:
        Classifier(5, labels)
    assert "\n" not in str(refused.value)


def test_a_model_learns_labels_of_the_dataset(make_embedder, images, labels):
    """Labels of a part of a dataset, given by `class_labels`, are as good as labels from 0."""
    results = []
    for numbers, class_labels in (([0, 1, 2], None), ([4, 7, 1000], [4, 7, 1000])):
        keras.utils.set_random_seed(0)
        model = NoiseInvariantModel(make_embedder(), 3, seed=0, class_labels=class_labels)
        model.compile(keras.optimizers.SGD(0.01))
        renumbered = np.array(numbers, "int32")[labels]
        logs = [model.train_on_batch(images, renumbered, return_dict=True) for _ in range(2)]
        results.append(logs[-1])
    assert results[0] == results[1]
    assert model.class_labels == [4, 7, 1000]


def test_labels_and_their_number_must_fit(make_embedder):
    with pytest.raises(UserError, match="class_labels has 2 labels for num_classes=3"):
        NoiseInvariantModel(make_embedder(), 3, class_labels=[1, 2])
