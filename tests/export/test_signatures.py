"""The signatures as they come back from the disk, in TensorFlow 2 and in a TF 1 session."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from nfl_keras.export.signatures import make_service
from nfl_keras.export.verification import as_image_set
from nfl_keras.retrieval import embed
from nfl_keras.servable.status import (
    DAMAGED,
    EMPTY,
    NO_DIRECTION,
    NOT_AN_IMAGE,
    OK,
    TOO_LARGE,
    UNSUPPORTED,
)

SIZE = 16
CROPS = {"serving_default": 3, "embed_center": 1}


@pytest.fixture(scope="module")
def folder(embedder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "1"
    service, signatures = make_service(embedder, SIZE, 100_000_000)
    tf.saved_model.save(service, str(folder), signatures)
    return folder


@pytest.fixture(scope="module")
def loaded(folder):
    return tf.saved_model.load(str(folder))


def answer(loaded, signature, images):
    images = tf.constant(images, tf.string, (len(images),))
    given = loaded.signatures[signature](images=images)
    return {key: value.numpy() for key, value in given.items()}


@pytest.mark.parametrize("signature", CROPS)
def test_embeddings_of_images_are_those_of_embed(loaded, embedder, photographs, signature):
    images = list(photographs.values())
    given = answer(loaded, signature, images)
    assert given.keys() == {"embedding", "status"}
    assert given["embedding"].dtype == np.float32
    assert given["status"].dtype == np.int32
    assert given["status"].tolist() == [OK] * len(images)
    expected = embed(embedder, as_image_set(images), CROPS[signature])
    np.testing.assert_allclose(given["embedding"], expected, atol=1e-5)
    # What is compared differs from image to image, and from one crop to three.
    assert np.ptp(expected, axis=0).min() > 0.01
    of_other_crops = embed(embedder, as_image_set(images), 4 - CROPS[signature])
    assert np.abs(expected - of_other_crops).max() > 0.01


def test_embeddings_of_pixels_are_the_models(loaded, embedder):
    pixels = np.random.default_rng(0).uniform(0, 255, (3, SIZE, SIZE, 3)).astype(np.float32)
    given = loaded.signatures["embed_tensor"](pixels=tf.constant(pixels))
    assert given.keys() == {"embedding"}
    expected = embedder.predict_on_batch(pixels)
    np.testing.assert_allclose(given["embedding"].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("number", [0.0, np.nan, np.inf])
def test_an_embedding_without_a_direction_is_zeros_and_has_a_status(number):
    """A black photograph goes through units that are dead, or whose weights have diverged."""
    pixels = keras.Input((SIZE, SIZE, 3))
    means = keras.layers.GlobalAveragePooling2D()(pixels)
    dark = keras.ops.where(means > 0, means, number)
    model = keras.Model(pixels, keras.layers.UnitNormalization()(dark))
    _, signatures = make_service(model, SIZE, 100_000_000)
    encoded = []
    for value in (0, 200, 0):
        buffer = io.BytesIO()
        Image.new("RGB", (2 * SIZE, SIZE), (value, value, value)).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    encoded.append(b"")
    for signature in CROPS:
        given = signatures[signature](images=tf.constant(encoded))
        assert given["status"].numpy().tolist() == [NO_DIRECTION, OK, NO_DIRECTION, EMPTY]
        unit = np.full(3, 3**-0.5)
        expected = [0 * unit, unit, 0 * unit, 0 * unit]
        np.testing.assert_allclose(given["embedding"].numpy(), expected, atol=1e-6)
    squares = np.array([0, 200], "float32")[:, None, None, None] * np.ones((2, SIZE, SIZE, 3))
    given = signatures["embed_tensor"](pixels=tf.constant(squares, tf.float32))
    np.testing.assert_allclose(given["embedding"].numpy(), expected[:2], atol=1e-6)


@pytest.mark.parametrize("signature", CROPS)
def test_bad_images_are_zeros_and_leave_the_others_alone(
    loaded, photographs, damaged, bombs, foreign, unsupported, signature
):
    good = list(photographs.values())[:3]
    alone = answer(loaded, signature, good)["embedding"]
    for status, bad in (
        (DAMAGED, damaged["JPEG, cut off"]),
        (TOO_LARGE, bombs["PNG"]),
        (NOT_AN_IMAGE, foreign["words"]),
        (UNSUPPORTED, unsupported["GIF"]),
        (UNSUPPORTED, unsupported["moving WebP"]),
        (EMPTY, b""),
    ):
        given = answer(loaded, signature, [bad, good[0], bad, good[1], good[2], bad])
        assert given["status"].tolist() == [status, OK, status, OK, OK, status]
        np.testing.assert_allclose(given["embedding"][[1, 3, 4]], alone, atol=1e-6)
        assert not given["embedding"][[0, 2, 5]].any()
        given = answer(loaded, signature, [bad])
        assert given["status"].tolist() == [status]
        assert not given["embedding"].any()


@pytest.mark.parametrize("signature", CROPS)
def test_a_request_of_no_images_has_an_answer_of_no_rows(loaded, signature):
    given = answer(loaded, signature, [])
    assert given["embedding"].shape == (0, 5)
    assert given["status"].shape == (0,)


def test_a_session_of_tensorflow_1_answers_alike(folder, loaded, photographs, damaged):
    images = [*list(photographs.values())[:4], damaged["PNG, cut off"], b""]
    expected = {name: answer(loaded, name, images) for name in CROPS}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        for name in CROPS:
            signature = meta_graph.signature_def[name]
            fetched = {key: tensor.name for key, tensor in signature.outputs.items()}
            given = session.run(fetched, {signature.inputs["images"].name: images})
            for key, rows in expected[name].items():
                np.testing.assert_allclose(given[key], rows, atol=1e-6)


def test_inputs_and_outputs_have_names_and_any_number_of_rows(folder):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
    found = {
        name: {
            key: (tf.dtypes.as_dtype(tensor.dtype).name, [d.size for d in tensor.tensor_shape.dim])
            for key, tensor in (*signature.inputs.items(), *signature.outputs.items())
        }
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith("__")
    }
    of_images = {
        "images": ("string", [-1]),
        "embedding": ("float32", [-1, 5]),
        "status": ("int32", [-1]),
    }
    of_pixels = {"pixels": ("float32", [-1, 16, 16, 3]), "embedding": ("float32", [-1, 5])}
    assert found == {
        "serving_default": of_images,
        "embed_center": of_images,
        "embed_tensor": of_pixels,
    }


def test_the_graph_draws_nothing_at_random_and_runs_no_python(folder, embedder):
    assert any("dropout" in layer.name for layer in embedder.backbone.layers)
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [node for part in (graph, *graph.library.function) for node in _nodes(part)]
    operations = {node.op for node in nodes}
    assert {"DecodeImage", "IgnoreErrorsDataset", "Conv2D"} <= operations
    assert not {op for op in operations if "Random" in op or "PyFunc" in op}


def test_only_the_embedders_weights_are_saved(folder, embedder):
    saved = tf.train.list_variables(str(folder / "variables" / "variables"))
    shapes = [tuple(shape) for name, shape in saved if name.endswith("VARIABLE_VALUE")]
    assert sorted(shapes) == sorted(tuple(v.shape) for v in embedder.variables)


def _nodes(part):
    return part.node if hasattr(part, "node") else part.node_def
