import types

import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.errors import UserError
from nfl_keras.export.verification import as_image_set, center_crops, largest_difference
from nfl_keras.retrieval import embed
from nfl_keras.servable.status import DAMAGED, OK

SIZE = 16


@pytest.fixture(scope="module")
def images(photographs):
    return [photographs[kind] for kind in ("JPEG", "PNG", "WebP")]


@pytest.fixture
def exported(embedder, images):
    """Function from what is wrong with a signature's embeddings to something like a SavedModel."""

    def make(wrong=None, by=0.0, statuses=(OK, OK, OK)):
        def of(name, crops):
            embeddings = embed(embedder, as_image_set(images), crops)
            embeddings[1, 2] += by if name == wrong else 0.0
            answer = {"embedding": tf.constant(embeddings), "status": tf.constant(statuses)}
            return lambda **inputs: answer

        crops = {"serving_default": 3, "embed_center": 1, "embed_tensor": 1}
        return types.SimpleNamespace(signatures={name: of(name, n) for name, n in crops.items()})

    return make


@pytest.mark.parametrize("signature", ["serving_default", "embed_center", "embed_tensor"])
@pytest.mark.parametrize("by", [2e-4, -0.5])
def test_a_difference_in_any_signature_is_found(exported, embedder, images, signature, by):
    with pytest.raises(UserError, match=f"on 3 photographs they differ by up to {abs(by):.1e}"):
        largest_difference(exported(signature, by), embedder, SIZE, images)


def test_the_same_embeddings_differ_by_nothing(exported, embedder, images):
    assert largest_difference(exported(), embedder, SIZE, images) < 1e-6


def test_what_is_not_finite_is_refused(exported, embedder, images):
    with pytest.raises(UserError, match="differ by up to nan, more than 1e-04"):
        largest_difference(exported("embed_center", np.nan), embedder, SIZE, images)


def test_a_difference_is_refused_above_the_tolerance(exported, embedder, images):
    found = largest_difference(exported("embed_center", 0.95e-4), embedder, SIZE, images)
    assert found == pytest.approx(0.95e-4, abs=1e-6)
    with pytest.raises(UserError, match=r"on 3 photographs they differ by up to 1\.1e-04"):
        largest_difference(exported("embed_center", 1.1e-4), embedder, SIZE, images)


def test_a_photograph_that_is_not_embedded_is_named(exported, embedder, images):
    with pytest.raises(UserError, match="sample photograph 1: truncated or damaged"):
        largest_difference(exported(statuses=(OK, DAMAGED, OK)), embedder, SIZE, images)


def test_centers_are_squares_of_pixels(images):
    squares = center_crops(images, SIZE)
    assert squares.shape == (3, SIZE, SIZE, 3)
    assert squares.dtype == np.float32
    assert squares.max() > 50
