import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import WhiteBalanceEmulation

in_a_pipeline = pytest.mark.tensorflow("recolor is for pipelines of tf.data, and refuses others")


def photographs(count, height=6, width=5, seed=0):
    shape = (count, height, width, 3)
    return np.random.default_rng(seed).integers(20, 230, shape).astype("float32")


def changed(before, after):
    return np.any(np.abs(np.asarray(after) - before) > 0.01, axis=(-3, -2, -1))


@pytest.fixture(params=["published method", "planckian"])
def parameters(request, made_up_parameters):
    return made_up_parameters if request.param == "published method" else None


def test_keeps_every_promise_of_a_layer(check_layer, parameters):
    arguments = {"parameters": parameters, "probability": 1.0, "seed": 3}
    check_layer(WhiteBalanceEmulation, arguments, (2, 4, 5, 3))


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 1.0])
def test_images_are_changed_with_the_probability(probability):
    images = photographs(2000, 1, 2)
    layer = WhiteBalanceEmulation(probability=probability, seed=0)
    share = np.mean(changed(images, layer(images, training=True)))
    bound = 4 * np.sqrt(probability * (1 - probability) / len(images))
    # A light within a hundredth of the scene's changes next to nothing.
    assert abs(share - probability) <= bound + 0.002


def test_each_image_of_a_batch_is_drawn_by_itself(made_up_parameters):
    layer = WhiteBalanceEmulation(made_up_parameters, seed=0)
    image = photographs(1)[0]
    images = np.repeat(image[None], 120, axis=0)
    recolored = np.asarray(layer(images, training=True))
    candidates = np.stack([image, *(layer.emulate(image, style) for style in range(10))])
    distances = np.abs(recolored[:, None] - candidates).max(axis=(2, 3, 4))
    assert np.all(distances.min(axis=1) < 0.01)
    counts = np.bincount(distances.argmin(axis=1), minlength=11)
    assert abs(counts[0] - 60) < 4 * np.sqrt(30)
    assert np.all(counts[1:] > 0)


def test_draws_are_fresh_at_each_call_and_the_same_under_one_seed(parameters):
    images = photographs(12)
    first, second = (WhiteBalanceEmulation(parameters, seed=5) for _ in range(2))
    draws = [np.asarray(first(images, training=True)) for _ in range(3)]
    for draw in draws:
        np.testing.assert_array_equal(draw, second(images, training=True))
    assert np.any(changed(draws[0], draws[1]))
    assert np.any(changed(draws[1], draws[2]))
    other = WhiteBalanceEmulation(parameters, seed=6)(images, training=True)
    assert np.any(changed(draws[0], other))


def test_computes_in_float32_under_mixed_precision(parameters):
    images = photographs(4) + 0.4
    exact, mixed = (
        WhiteBalanceEmulation(parameters, 1.0, seed=1, dtype=dtype)(images, training=True)
        for dtype in ("float32", "mixed_bfloat16")
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(mixed), ops.convert_to_numpy(ops.cast(exact, "bfloat16"))
    )


def test_emulate_takes_one_image_or_a_batch(made_up_parameters):
    images = photographs(3)
    published = WhiteBalanceEmulation(made_up_parameters)
    styles = [
        np.asarray(published.emulate(image, k)) for k, image in zip((1, 5, 9), images, strict=True)
    ]
    np.testing.assert_allclose(published.emulate(images, [1, 5, 9]), styles, atol=1e-2)
    assert np.all(changed(np.asarray(published.emulate(images, 1)), published.emulate(images, 2)))
    planckian = WhiteBalanceEmulation()
    tungsten = np.asarray(planckian.emulate(images[0].astype("uint8"), (2850, 0)))
    assert tungsten.shape == images[0].shape
    assert np.all(tungsten[..., 2] > images[0, ..., 2])
    np.testing.assert_allclose(planckian.emulate(images, (2850, 0))[0], tungsten, atol=1e-3)


@pytest.mark.parametrize("style", [-1, 10, 2.0, [0, 12]])
def test_emulate_refuses_other_styles(made_up_parameters, style):
    with pytest.raises(UserError, match=r"0\.\.9"):
        WhiteBalanceEmulation(made_up_parameters).emulate(photographs(2), style)


@pytest.mark.parametrize("light", [3, (3, 0), (5000, 0, 0), (20_000, 0)])
def test_emulate_refuses_what_is_not_a_light(light):
    with pytest.raises(UserError, match="kelvin"):
        WhiteBalanceEmulation().emulate(photographs(2), light)


@in_a_pipeline
def test_recolor_runs_in_a_parallel_pipeline_and_depends_on_its_seed_alone(parameters):
    layer = WhiteBalanceEmulation(parameters)
    image = photographs(1, 8, 8)[0]

    def pass_over(parallel):
        dataset = tf.data.Dataset.range(200).map(
            lambda index: layer.recolor(image, (7, index)), num_parallel_calls=parallel
        )
        assert dataset.element_spec == tf.TensorSpec((8, 8, 3), tf.float32)
        return np.stack(list(dataset.as_numpy_iterator()))

    recolored = pass_over(4)
    np.testing.assert_array_equal(recolored, pass_over(None))
    eagerly = layer.recolor(image, tf.constant([7, 11]))
    np.testing.assert_allclose(recolored[11], eagerly, atol=1e-3)
    assert layer.variables == [layer.seed_generator.state]
    share = np.mean(changed(image, recolored))
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / 200)
    if parameters is None:
        assert len(np.unique(recolored, axis=0)) > 0.95 * share * 200
    else:
        styles = np.stack([layer.emulate(image, style) for style in range(10)])
        distances = np.abs(recolored[changed(image, recolored)][:, None] - styles)
        assert np.all(distances.max(axis=(2, 3, 4)).min(axis=1) < 0.01)
        assert len(np.unique(distances.max(axis=(2, 3, 4)).argmin(axis=1))) == 10


@in_a_pipeline
def test_recolor_draws_apart_from_others_of_its_seed():
    layer = WhiteBalanceEmulation()
    image = photographs(1, 2, 2)[0]
    seeds = tf.data.Dataset.range(400).map(lambda index: tf.stack([index, 3]))
    recolored = np.stack(list(seeds.map(lambda s: layer.recolor(image, s))))
    others = np.stack(list(seeds.map(lambda s: tf.random.stateless_uniform((8,), s))))
    coins = np.column_stack([changed(image, recolored), others])
    correlations = np.corrcoef(coins.T)[0, 1:]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(400)


@in_a_pipeline
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_recolor_has_the_probability_of_the_layer(probability, parameters):
    layer = WhiteBalanceEmulation(parameters, probability)
    images = photographs(5)
    recolored = [layer.recolor(image, (0, k)) for k, image in enumerate(images)]
    assert np.all(changed(images, np.stack(recolored)) == bool(probability))


@in_a_pipeline
def test_recolor_takes_images_of_unknown_size_where_the_method_can(made_up_parameters):
    image = photographs(1)[0]

    def through_unknown_shape(layer):
        recolor = tf.function(
            lambda image: layer.recolor(image, (0, 1)),
            input_signature=[tf.TensorSpec((None, None, 3), tf.float32)],
            autograph=False,
        )
        return recolor(image)

    planckian = WhiteBalanceEmulation(probability=1)
    expected = planckian.recolor(image, (0, 1))
    np.testing.assert_allclose(through_unknown_shape(planckian), expected, atol=1e-2)
    with pytest.raises(UserError, match="height and width are known"):
        through_unknown_shape(WhiteBalanceEmulation(made_up_parameters))


def test_recolor_needs_tensorflow(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(UserError, match="TensorFlow backend, not torch"):
        WhiteBalanceEmulation().recolor(photographs(1)[0], (0, 0))


@in_a_pipeline
def test_recolor_gives_the_published_renderings(published_parameters):
    vectors = np.load(pathlib.Path(published_parameters) / "vectors.npz")
    layer = WhiteBalanceEmulation(published_parameters, probability=1.0)
    for seed in range(5):
        rendered = np.asarray(layer.recolor(vectors["input_1"], (seed, 0)))
        assert rendered.dtype == np.float32
        differences = np.abs(np.floor(rendered) - vectors["outputs_1"])
        assert differences.max(axis=(1, 2, 3)).min() <= 1


def test_describes_itself(made_up_parameters):
    assert WhiteBalanceEmulation(pathlib.Path(made_up_parameters)).describe() == (
        "white balance: emulator of Afifi & Brown with the parameters in " + made_up_parameters
    )
    assert WhiteBalanceEmulation().describe() == (
        "white balance: random shift along the Planckian locus (no published parameters given)"
    )


def test_a_model_whose_parameters_are_gone_says_so_in_one_line(made_up_parameters, tmp_path):
    folder = tmp_path / "parameters"
    shutil.copytree(made_up_parameters, folder)
    model = keras.Sequential([keras.Input((4, 4, 3)), WhiteBalanceEmulation(folder)])
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].parameters == str(folder)
    shutil.rmtree(folder)
    with pytest.raises(UserError, match=r"features\.npy cannot be read") as raised:
        keras.saving.load_model(tmp_path / "model.keras")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("probability", [-0.1, 1.5, float("nan")])
def test_refuses_what_is_no_probability(probability):
    with pytest.raises(UserError, match=r"probability must be in 0\.\.1"):
        WhiteBalanceEmulation(probability=probability)
