import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

import nfl_keras
from nfl_keras.errors import UserError
from nfl_keras.export import saved_model
from nfl_keras.export.saved_model import export_model
from nfl_keras.export.verification import as_image_set
from nfl_keras.retrieval import embed
from nfl_keras.servable.warmup import replay_warmup, write_warmup


def answer(folder, images):
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](images=tf.constant(images))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "served"


@pytest.fixture
def quickly(monkeypatch):
    """Leaves out the reading back, for tests of what is done around it."""
    monkeypatch.setattr(saved_model, "largest_difference", lambda *arguments: 0.0)
    monkeypatch.setattr(saved_model, "replay_warmup", lambda *arguments: 0)


def test_a_recipes_embedder_is_exported_whole(directory, embedder, photographs):
    recipe = nfl_keras.models.NoiseInvariantModel(embedder, num_classes=3, noise_stddev=5.0)
    folder = export_model(recipe, directory, about={"protocol": "made up"})
    assert folder == directory / "embedder" / "1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "assets",
        "assets.extra",
        "fingerprint.pb",
        "model_card.json",
        "saved_model.pb",
        "variables",
    ]
    assert os.listdir(directory / "embedder") == ["1"]
    images = list(photographs.values())
    expected = embed(embedder, as_image_set(images))
    np.testing.assert_allclose(answer(folder, images)["embedding"].numpy(), expected, atol=1e-5)
    requests = []
    replay_warmup(folder, requests.append)
    signatures = {request.model_spec.signature_name for request in requests}
    assert signatures == {"serving_default", "embed_center", "embed_tensor"}
    card = json.loads((folder / "model_card.json").read_text())
    assert card["protocol"] == "made up"
    assert card["checked"]["largest_difference"] < 1e-4


def test_name_version_size_and_limit_are_as_asked_for(directory, embedder, encoded, picture):
    plain = keras.Model(embedder.inputs, embedder.outputs)
    images = [encoded(picture(30, 31)), encoded(picture(30, 30))]
    folder = export_model(
        plain, directory, 5, "roses-1.0", image_size=24, max_pixels=900, photographs=images[1:]
    )
    assert folder == directory / "roses-1.0" / "5"
    given = answer(folder, images)
    assert given["status"].numpy().tolist() == [3, 0]
    expected = embed(plain, as_image_set(images[1:]), image_size=24)
    np.testing.assert_allclose(given["embedding"].numpy()[1:], expected, atol=1e-5)


@pytest.mark.usefixtures("quickly")
def test_the_next_version_is_free(directory, embedder):
    assert [export_model(embedder, directory).name for _ in range(2)] == ["1", "2"]
    with pytest.raises(UserError, match="there is a version 2"):
        export_model(embedder, directory, version=2)


def test_a_model_that_differs_is_not_kept(directory, embedder, make_embedder, monkeypatch):
    other = make_embedder(seed=1)
    make_service = saved_model.make_service
    monkeypatch.setattr(
        saved_model, "make_service", lambda model, *others: make_service(other, *others)
    )
    with pytest.raises(UserError, match=r"gives other embeddings than the Keras model.*not kept"):
        export_model(embedder, directory)
    assert not directory.exists()


def test_a_model_that_gives_no_numbers_is_not_kept(directory, make_embedder):
    spoilt = make_embedder()
    spoilt.layers[-2].bias.assign(5 * [np.nan])
    with pytest.raises(UserError, match="photograph 0: its embedding has no direction"):
        export_model(spoilt, directory)
    assert not directory.exists()


@pytest.mark.parametrize("step", ["largest_difference", "write_warmup", "write_card"])
def test_ctrl_c_leaves_nothing(directory, embedder, monkeypatch, step):
    def interrupted(*arguments):
        assert len(os.listdir(directory / "embedder")) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model, "largest_difference", lambda *arguments: 0.0)
    monkeypatch.setattr(saved_model, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_model(embedder, directory)
    assert not directory.exists()


@pytest.mark.parametrize(
    ("signature", "tensors"),
    [
        ("embed_tensor", {"pixels": np.zeros((1, 16, 15, 3), np.float32)}),
        ("embed_tensor", {"images": [b""]}),
        ("embed_all", {"images": [b""]}),
    ],
)
def test_a_model_that_fails_its_warm_up_is_not_kept(
    directory, embedder, monkeypatch, signature, tensors
):
    def write(folder, name, inputs):
        write_warmup(folder, name, [(signature, tensors)])

    monkeypatch.setattr(saved_model, "largest_difference", lambda *arguments: 0.0)
    monkeypatch.setattr(saved_model, "write_warmup", write)
    with pytest.raises(UserError, match=rf"warm-up request 0 .* on signature '{signature}' \("):
        export_model(embedder, directory)
    assert not directory.exists()


def test_a_disk_that_fills_up_is_told_in_one_line(directory, embedder, monkeypatch):
    def full(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "No space\nleft on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(UserError, match=r"cannot write the model into .* \(No space left on dev"):
        export_model(embedder, directory)
    assert not directory.exists()


def test_a_photograph_that_is_none_is_named(directory, embedder):
    with pytest.raises(UserError, match="sample photograph 0: not an image"):
        export_model(embedder, directory, photographs=[b"words"])
    assert not directory.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a/b"}, "cannot be called 'a/b'"),
        ({"name": "../a"}, "cannot be called"),
        ({"name": ""}, "cannot be called"),
        ({"version": 0}, "version must be a whole number above 0, not 0"),
        ({"version": 1.5}, "version must be a whole number above 0, not 1.5"),
        ({"max_pixels": 0}, "max_pixels must be a whole number above 0"),
        ({"model": "model.keras"}, "takes a keras.Model, not str"),
    ],
)
def test_what_cannot_be_used_is_refused(directory, embedder, arguments, message):
    with pytest.raises(UserError, match=message):
        export_model(**{"model": embedder, "directory": directory, **arguments})
    assert not directory.exists()


def model_of(input_shape, *network):
    return keras.Sequential([keras.Input(input_shape), *network])


@pytest.mark.parametrize(
    ("model", "image_size", "message"),
    [
        (model_of((8, 8, 3), keras.layers.Flatten()), None, "does not say its image_size"),
        (model_of((8, 8, 3), keras.layers.Flatten()), 16, "cannot be exported with image_size 16"),
        (model_of((8, 8, 1), keras.layers.Flatten()), 8, "cannot be exported"),
        (model_of((8, 8, 3), keras.layers.Identity()), 8, "cannot be exported"),
        (model_of((4,), keras.layers.Dense(2)), 8, "cannot be exported"),
        (keras.Sequential([keras.layers.Flatten()]), 8, "from None to None cannot be exported"),
    ],
)
def test_a_model_of_another_shape_is_refused(directory, model, image_size, message):
    with pytest.raises(UserError, match=message):
        export_model(model, directory, image_size=image_size)
    assert not directory.exists()


def test_another_backend_is_refused(directory, embedder, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UserError, match="this is 'jax'; set KERAS_BACKEND=tensorflow"):
        export_model(embedder, directory)
