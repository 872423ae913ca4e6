import io

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.retrieval.embed import embed

# Shorter side 8, so that crops of 8 are slices: landscapes, portraits, squares.
SHAPES = [(8, 13), (14, 8), (8, 8), (8, 40), (9, 8), (8, 9), (31, 8)]


def photographs(shapes, scale=1):
    """Noise about a color that changes along the photograph, so that crops differ."""
    drawn = []
    for seed, (height, width) in enumerate(shapes):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[: scale * height, : scale * width] / (scale * 40)
        toward = rng.uniform(-120, 120, (2, 3))
        drawn.append(
            np.clip(
                rng.uniform(80, 170, 3)
                + y[..., None] * toward[0]
                + x[..., None] * toward[1]
                + rng.normal(0, 10, (scale * height, scale * width, 3)),
                0,
                255,
            ).astype(np.uint8)
        )
    return drawn


def image_set(drawn):
    files = []
    for pixels in drawn:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    ids = [str(i) for i in range(len(files))]
    return ImageSet(ids, [0] * len(files), ["all"], files.__getitem__)


@pytest.fixture(scope="module")
def embedder():
    """Mean color about 127 as a direction: far from linear in the colors."""
    images = keras.Input((None, None, 3))
    means = layers.GlobalAveragePooling2D()(images)
    model = keras.Model(images, layers.UnitNormalization()(layers.Rescaling(1.0, -127.0)(means)))
    model.image_size = 8
    return model


def expected(drawn, crops, size=8):
    rows = []
    for pixels in drawn:
        height, width = pixels.shape[:2]
        middle = ((height - size) // 2, (width - size) // 2)
        starts = [middle, (0, 0), (height - size, width - size)][:crops]
        units = []
        for top, left in starts:
            mean = np.float64(pixels[top : top + size, left : left + size]).mean(axis=(0, 1)) - 127
            units.append(mean / np.sqrt((mean**2).sum()))
        mean = sum(units) / len(units)
        rows.append(mean / np.sqrt((mean**2).sum()))
    return np.stack(rows)


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_embeddings_are_normalised_means_over_crops(embedder, crops, batch_size):
    drawn = photographs(SHAPES)
    vectors = embed(embedder, image_set(drawn), crops, batch_size)
    assert vectors.shape == (7, 3)
    assert vectors.dtype == np.float32
    assert np.abs(vectors - expected(drawn, crops)).max() < 1e-4
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_three_crops_are_the_default_and_differ_from_one(embedder):
    drawn = photographs(SHAPES)
    vectors = embed(embedder, image_set(drawn))
    assert np.array_equal(vectors, embed(embedder, image_set(drawn), crops=3))
    assert np.abs(vectors - expected(drawn, 1))[3].max() > 0.01


def test_the_size_of_crops_can_be_given(embedder):
    drawn = photographs(SHAPES, scale=2)
    vectors = embed(embedder, image_set(drawn), image_size=16)
    assert np.abs(vectors - expected(drawn, 3, size=16)).max() < 1e-4


def test_photographs_of_any_size_are_brought_to_the_embedders(embedder):
    # Enlarged by repetition, a photograph keeps its mean colors.
    drawn = photographs([(8, 8), (8, 16)])
    large = [pixels.repeat(5, axis=0).repeat(5, axis=1) for pixels in drawn]
    sizes = []
    model = keras.Model(embedder.inputs, embedder.outputs)
    model.image_size = 8
    predict = model.predict_on_batch
    model.predict_on_batch = lambda batch: sizes.append(tuple(batch.shape)) or predict(batch)
    vectors = embed(model, image_set(large), batch_size=2)
    assert sizes == [(6, 8, 8, 3)]
    assert np.abs(vectors - expected(drawn, 3)).max() < 0.02


def test_layers_run_for_inference(embedder):
    images = keras.Input((None, None, 3))
    dropped = layers.Dropout(0.9, seed=0)(images)
    model = keras.Model(images, embedder(dropped))
    model.image_size = 8
    drawn = photographs(SHAPES)
    assert np.abs(embed(model, image_set(drawn)) - expected(drawn, 3)).max() < 1e-4


def test_progress_counts_the_photographs(embedder, shown_lines):
    seven = image_set(photographs(SHAPES))
    embed(embedder, seven, batch_size=3)
    assert shown_lines() == ["3 of 7 photographs embedded", "6 of 7 photographs embedded"]
    embed(embedder, seven, batch_size=3, show_progress=False)
    assert shown_lines() == []


@pytest.mark.parametrize("crops", [0, 2, 5])
def test_another_number_of_crops_is_refused(embedder, crops):
    with pytest.raises(UserError, match=f"crops must be 1 or 3, not {crops}"):
        embed(embedder, image_set(photographs(SHAPES)), crops=crops)


def test_an_empty_set_is_refused(embedder):
    with pytest.raises(UserError, match="no photographs to embed"):
        embed(embedder, image_set([]))


def test_a_photograph_without_a_direction_is_named(embedder):
    gray = np.full((8, 8, 3), 127, np.uint8)
    drawn = [*photographs(SHAPES[:3]), gray, *photographs(SHAPES[:2]), gray]
    told = "2 of 7 photographs cannot be used, the first of them '3': its embedding has no direct"
    with pytest.raises(UserError, match=told) as refused:
        embed(embedder, image_set(drawn), batch_size=2)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_name_the_first_photograph(number):
    images = keras.Input((8, 8, 3))
    diverged = layers.Rescaling(number)(layers.GlobalAveragePooling2D()(images))
    with pytest.raises(UserError, match=r"3 of 3 .* .0.: .* no direction, since it is zero"):
        embed(keras.Model(images, diverged), image_set(photographs(SHAPES[:3])), image_size=8)
