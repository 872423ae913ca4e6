import io

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.losses import class_discrimination
from nfl_keras.models import Embedder, Learner, NoiseAssistedModel, NoiseInvariantModel, Term
from nfl_keras.retrieval.classify import classify

# Shorter side 8, so that crops of 8 are slices.
SHAPES = [(8, 13), (14, 8), (8, 8), (8, 40), (31, 8)]


@pytest.fixture(scope="module")
def drawn():
    """Photographs whose colors change along them, so that crops are classified differently."""
    photographs = []
    for seed, (height, width) in enumerate(SHAPES):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width][..., None] / 40
        slope = rng.uniform(-400, 400, (2, 3))
        colors = rng.uniform(80, 170, 3) + y * slope[0] + x * slope[1]
        photographs.append(np.clip(colors, 0, 255).astype(np.uint8))
    return photographs


def encoded(drawn):
    files = []
    for pixels in drawn:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    ids = [str(i) for i in range(len(files))]
    return ImageSet(ids, [0] * len(files), ["all"], files.__getitem__)


@pytest.fixture(scope="module")
def image_set(drawn):
    return encoded(drawn)


def embedder():
    """Features z are mean colors, of a network that drops most of them while training."""
    images = keras.Input((None, None, 3))
    return Embedder(keras.Model(images, layers.Dropout(0.9)(images)), 2, 8, 1 / 64, -2.0)


def steep(model):
    """The model with a classifier of its own that is often sure, and differs between crops."""
    rng = np.random.default_rng(7)
    model.classifier.set_weights([rng.normal(0, 4, (3, 3)), rng.normal(0, 1, 3)])
    return model


@pytest.fixture
def model():
    return steep(NoiseAssistedModel(embedder(), num_classes=3, lambda_softmax=1.0, seed=0))


def crops_of(pixels, size):
    height, width = pixels.shape[:2]
    starts = [((height - size) // 2, (width - size) // 2), (0, 0), (height - size, width - size)]
    return [np.float64(pixels[top : top + size, left : left + size]) for top, left in starts]


def expected(model, drawn, crops, size=8, normalized=False):
    kernel, bias = (weight.astype(np.float64) for weight in model.classifier.get_weights())
    rows = []
    for pixels in drawn:
        of_crops = []
        for crop in crops_of(pixels, size)[:crops]:
            features = crop.mean(axis=(0, 1)) / 64 - 2
            if normalized:
                features = features - features.mean()
                features /= np.sqrt((features**2).mean() + 1e-3)
            powers = np.exp(features @ kernel + bias)
            of_crops.append(powers / powers.sum())
        rows.append(sum(of_crops) / crops)
    return np.stack(rows)


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_probabilities_are_means_over_crops_of_the_softmax(
    model, image_set, drawn, crops, batch_size
):
    probabilities = classify(model, image_set, crops, batch_size)
    assert probabilities.shape == (5, 3)
    assert probabilities.dtype == np.float32
    assert np.abs(probabilities - expected(model, drawn, crops)).max() < 1e-5
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-6


def test_three_crops_are_the_default_and_differ_from_one(model, image_set, drawn):
    probabilities = classify(model, image_set)
    assert np.array_equal(probabilities, classify(model, image_set, crops=3))
    assert np.abs(probabilities - expected(model, drawn, 1)).max() > 0.05


def test_progress_counts_the_photographs(model, image_set, shown_lines):
    classify(model, image_set, batch_size=2)
    assert shown_lines() == ["2 of 5 photographs classified", "4 of 5 photographs classified"]
    classify(model, image_set, batch_size=2, show_progress=False)
    assert shown_lines() == []


def test_the_size_of_crops_can_be_given(model, drawn):
    large = [pixels.repeat(2, axis=0).repeat(2, axis=1) for pixels in drawn]
    probabilities = classify(model, encoded(large), image_size=16)
    assert np.abs(probabilities - expected(model, large, 3, size=16)).max() < 1e-5


def test_a_noise_invariant_model_classifies_without_its_noise(image_set, drawn):
    model = steep(NoiseInvariantModel(embedder(), num_classes=3, seed=0))
    probabilities = classify(model, image_set)
    assert np.abs(probabilities - expected(model, drawn, 3, normalized=True)).max() < 1e-5


def test_a_learner_of_ones_own(image_set, drawn):
    class Classifying(Learner):
        def __init__(self):
            values = lambda outputs: class_discrimination(outputs.clean, outputs.labels)  # noqa: E731
            super().__init__(embedder(), [Term("L_D", 1.0, values)])
            self.classifier = layers.Dense(3)
            self.classifier.build((None, 3))
            self.built = True

        def logits(self, features):
            return ops.flip(self.classifier(features), axis=-1)

    model = steep(Classifying())
    found = classify(model, image_set)
    assert np.abs(found[:, ::-1] - expected(model, drawn, 3)).max() < 1e-5


def test_the_softmax_is_not_taken_in_halves(image_set, dtype_policy):
    dtype_policy("mixed_float16")
    model = NoiseAssistedModel(embedder(), num_classes=3, lambda_softmax=1.0)
    bias = np.array([-6.0, 6.0, -6.0])
    model.classifier.set_weights([np.zeros((3, 3)), bias])
    probabilities, powers = classify(model, image_set), np.exp(bias)
    assert np.abs(probabilities / (powers / powers.sum()) - 1).max() < 1e-5


def test_a_model_keeps_its_precision(model, image_set, dtype_policy):
    # Of a size at which pixels are no whole numbers, which bfloat16 would hold.
    before = classify(model, image_set, image_size=11)
    dtype_policy("mixed_bfloat16")
    np.testing.assert_allclose(classify(model, image_set, image_size=11), before, atol=1e-6)


def test_the_model_is_left_as_it_was(model, image_set):
    images = np.random.default_rng(0).uniform(0, 255, (6, 8, 8, 3)).astype("float32")
    labels = np.arange(6, dtype="int32") % 3
    model.compile(keras.optimizers.SGD(0.1))
    before, layer_names = model.get_weights(), [layer.name for layer in model._flatten_layers()]
    at_first = classify(model, image_set)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert [layer.name for layer in model._flatten_layers()] == layer_names
    # Connected to nothing else, a layer of the embedder still has the one output.
    keras.Model(model.embedder.inputs, model.embedder.get_layer("features").output)

    model.fit(images, labels, epochs=2, verbose=0)
    assert np.abs(classify(model, image_set) - at_first).max() > 1e-3


@pytest.mark.parametrize("crops", [0, 2, 5])
def test_another_number_of_crops_is_refused(model, image_set, crops):
    with pytest.raises(UserError, match=f"crops must be 1 or 3, not {crops}"):
        classify(model, image_set, crops=crops)


def test_an_empty_set_is_refused(model, image_set):
    with pytest.raises(UserError, match="no photographs to embed or to classify"):
        classify(model, image_set.subset([]))


def test_a_model_that_has_learned_no_classifier_is_refused(image_set):
    for without in (
        NoiseAssistedModel(embedder(), num_classes=3),
        NoiseInvariantModel(embedder(), num_classes=3, lambda_s=0),
        embedder(),
    ):
        message = f"this {type(without).__name__} has learned no classifier"
        with pytest.raises(UserError, match=message):
            classify(without, image_set)
