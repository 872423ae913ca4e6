"""Backbones of each family, tiny and random: each is trained, resumed, saved, exported and served.

A preset folder is made first, for images of 32 pixels, and the embedder takes images of 48. Steps
are run eagerly, since tracing them is what takes long. A new family is one entry of `FAMILIES`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as array
from tensorflow.python.framework.config import disable_op_determinism

from nfl_keras.data import BalancedSampler
from nfl_keras.export.saved_model import export_model
from nfl_keras.export.verification import as_image_set, sample_photographs
from nfl_keras.models import Embedder, Learner, enable_lora
from nfl_keras.retrieval import embed
from nfl_keras.serving import Client, Server
from nfl_keras.training.build_model import build_model, compile_model
from nfl_keras.training.callbacks.checkpoints import Checkpoints
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.termination import Termination

models, converters = keras_hub.models, keras_hub.layers
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'attn'.*does not support masking")

SIDE, IMAGE_SIZE = 32, 48
SCALE, OFFSET = [0.01, 0.02, 0.015], [-1.0, -2.0, -1.5]
OF_IMAGES = {"image_shape": (SIDE, SIDE, 3)}
OF_TOKENS = {**OF_IMAGES, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
DINO = {**OF_TOKENS, "intermediate_dim": 16}
OF_ONE_BLOCK = {**DINO, "num_layers": 1}
PIXELS = np.random.default_rng(0).uniform(0, 255, (4, IMAGE_SIZE, IMAGE_SIZE, 3)).astype("float32")
LABELS = np.array([0, 0, 1, 1], "int32")
PHOTOGRAPHS = sample_photographs(IMAGE_SIZE)


class Family(NamedTuple):
    """A small backbone of a family, its image converter, and what is expected of it.

    Args:
        make: function that makes the backbone.
        converter: class of the image converter, or `None`.
        block: what to freeze through, and the start of the path of the first weight left to train.
        feature_dim: int, of z.
        prefix_tokens: int, tokens before those of patches, or `None` if the output is no tokens.
    """

    make: Callable[[], keras.Model]
    converter: type[keras.layers.Layer] | None
    block: tuple[str, str]
    feature_dim: int
    prefix_tokens: int | None = None


FAMILIES = {
    "ViT": Family(
        lambda: models.ViTBackbone(**OF_TOKENS, mlp_dim=16, name="net"),
        converters.ViTImageConverter,
        ("vit_encoder/transformer_block_1", "vit_encoder/transformer_block_2"),
        8,
        1,
    ),
    "DeiT": Family(
        lambda: models.DeiTBackbone(**OF_ONE_BLOCK, name="net"),
        converters.DeiTImageConverter,
        ("deit_patching", "deit_encoder/transformer_block_1"),
        8,
        2,
    ),
    "Swin": Family(
        lambda: models.SwinTransformerBackbone(
            **OF_IMAGES, embed_dim=4, depths=(2, 1), num_heads=(1, 2), window_size=4, name="net"
        ),
        converters.SwinTransformerImageConverter,
        ("stage_0/blocks_0", "stage_0/blocks_1"),
        8,
        0,
    ),
    "DINOv2": Family(
        lambda: models.DINOV2Backbone(
            **OF_ONE_BLOCK, position_embedding_shape=(SIDE, SIDE), name="net"
        ),
        converters.DINOV2ImageConverter,
        ("net_embeddings", "net_encoder/layers_0"),
        8,
        1,
    ),
    "DINOv2 with registers": Family(
        lambda: models.DINOV2Backbone(
            **DINO,
            num_register_tokens=4,
            position_embedding_shape=(SIDE, SIDE),
            antialias_in_interpolation=True,
            name="net",
        ),
        converters.DINOV2ImageConverter,
        ("net_encoder/layers_0", "net_encoder/layers_1"),
        8,
        5,
    ),
    "DINOv3": Family(
        lambda: models.DINOV3Backbone(**DINO, name="net"),
        converters.DINOV3ImageConverter,
        ("net_encoder/layers_0", "net_encoder/layers_1"),
        8,
        5,
    ),
    "SigLIP": Family(
        lambda: models.SigLIPVisionEncoder(**DINO, name="net"),
        converters.SigLIPImageConverter,
        ("net_encoder_block_0", "net_encoder_block_1"),
        8,
    ),
    "CLIP": Family(
        lambda: models.CLIPVisionEncoder(**OF_ONE_BLOCK, name="net"),
        None,
        ("net_pre_layer_norm", "net_encoder_block_0"),
        8,
        1,
    ),
    "ResNet": Family(
        lambda: models.ResNetBackbone(
            input_conv_filters=[64],
            input_conv_kernel_sizes=[3],
            stackwise_num_filters=[64, 8],
            stackwise_num_blocks=[1, 1],
            stackwise_num_strides=[1, 2],
            block_type="basic_block",
            name="net",
        ),
        converters.ResNetImageConverter,
        ("stack0", "stack1_block0"),
        8,
    ),
    "EfficientNet": Family(
        lambda: models.EfficientNetBackbone(
            stackwise_width_coefficients=[0.2] * 2,
            stackwise_depth_coefficients=[1.0] * 2,
            stackwise_kernel_sizes=[3, 3],
            stackwise_num_repeats=[1, 1],
            stackwise_input_filters=[16, 16],
            stackwise_output_filters=[16, 24],
            stackwise_expansion_ratios=[1, 2],
            stackwise_squeeze_and_excite_ratios=[0.25, 0.25],
            stackwise_strides=[1, 2],
            stackwise_block_types=["v1", "v1"],
            name="net",
        ),
        converters.EfficientNetImageConverter,
        ("block1", "block2a"),
        256,
    ),
}


class Trained(NamedTuple):
    """A family's embedder as it was before training, the learner, and what was saved of it."""

    family: Family
    before: list[np.ndarray]
    learner: Learner
    resumed: Learner
    loaded: Embedder


@pytest.fixture(scope="module", autouse=True)
def _deterministic():
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    yield
    disable_op_determinism()


def save_preset(family, folder):
    """Saves a preset as a user's is saved, and gives its folder back."""
    family.make().save_to_preset(folder)
    if family.converter:
        family.converter(scale=SCALE, offset=OFFSET).save_to_preset(folder)
    return str(folder)


def make_config(preset, family, **settings):
    return TrainConfig.from_settings(
        backbone=preset,
        image_size=IMAGE_SIZE,
        embedding_dim=4,
        freeze_through=family.block[0],
        freeze_batch_norm=True,
        learning_rate=0.01,
        warmup_epochs=0,
        **settings,
    )


def make_checkpoints(root):
    ending = Termination(root)
    sampler = BalancedSampler(LABELS, 2, 2)
    photographs = as_image_set(PHOTOGRAPHS)
    return Checkpoints(root / "run", 0, sampler, photographs, {}, lambda: None, ending)


def train(config, checkpoints):
    """Trains for three steps, or for what is left of them after the newest checkpoint."""
    learner = build_model(config, [0, 1])
    compile_model(learner, config, 1)
    learner.run_eagerly = True
    learner.optimizer.build(learner.trainable_variables)
    before = [array(weight) for weight in learner.embedder.weights]
    checkpoints.set_model(learner)
    checkpoints.restore(learner)
    learner.fit(
        PIXELS,
        LABELS,
        initial_epoch=checkpoints.epoch,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[checkpoints],
    )
    return before, learner


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Function from the name of a family to its embedder, trained and saved once."""
    done = {}

    def of(name):
        if name in done:
            return done[name]
        family, root = FAMILIES[name], tmp_path_factory.mktemp("family")
        preset = save_preset(family, root / "preset")
        config = make_config(preset, family, synchronize_batch_norm=True)
        before, learner = train(config, make_checkpoints(root))
        learner.save(root / "last.keras")
        loaded = keras.saving.load_model(root / "last.keras", safe_mode=True).embedder
        max((root / "run").glob("*.npz")).unlink()
        _, resumed = train(config, make_checkpoints(root))
        done[name] = Trained(family, before, learner, resumed, loaded)
        return done[name]

    return of


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    """Embeddings of `PHOTOGRAPHS` by a server, by family.

    One model holds the embedders of all families, side by side, which saves exporting each.
    """
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    embedders = {name: trained(name).loaded for name in FAMILIES}
    for number, embedder in enumerate(embedders.values()):
        embedder.name = f"embedder_{number}"
    together = keras.layers.Concatenate()([embedder(images) for embedder in embedders.values()])
    folder = tmp_path_factory.mktemp("models")
    export_model(keras.Model(images, together), folder, image_size=IMAGE_SIZE)
    with Server(folder, port=0) as server, Client(f"localhost:{server.port}") as client:
        answer = client.embed(PHOTOGRAPHS)
    assert answer.failed == {}
    return dict(zip(FAMILIES, np.split(answer.embeddings, len(FAMILIES), axis=1), strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_is_loaded_as_the_preset_says(trained, name):
    family, _, learner, *_ = trained(name)
    embedder = learner.embedder
    assert embedder.input_shape[1:3] in ((IMAGE_SIZE, IMAGE_SIZE), (None, None))
    assert embedder.feature_dim == family.feature_dim
    assert getattr(embedder._pooling, "prefix_tokens", 0) == (family.prefix_tokens or 0)
    assert embedder.pixel_scale == (SCALE if family.converter else 1 / 127.5)
    assert embedder.pixel_offset == (OFFSET if family.converter else -1.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_all_after_the_frozen_block_is_trained(trained, name):
    family, before, learner, *_ = trained(name)
    embedder = learner.embedder
    trainable = {id(weight) for weight in embedder.trainable_weights}
    assert embedder.backbone.trainable_weights[0].path.startswith(family.block[1])
    unchanged = []
    for weight, value in zip(embedder.weights, before, strict=True):
        if id(weight) not in trainable:
            np.testing.assert_array_equal(array(weight), value, err_msg=weight.path)
        elif np.array_equal(array(weight), value):
            unchanged.append(weight.path)
    # Whatever is added to all keys, a softmax takes away again.
    assert [path for path in unchanged if not re.search("key/bias|k_proj/bias", path)] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_resumes_bit_for_bit(trained, name):
    _, _, learner, resumed, _ = trained(name)
    variables = [[*m.variables, *m.optimizer.variables] for m in (learner, resumed)]
    for one, other in zip(*variables, strict=True):
        np.testing.assert_array_equal(array(one), array(other), err_msg=one.path)


@pytest.mark.parametrize("name", FAMILIES)
def test_is_saved_and_loaded_with_what_is_frozen(trained, name):
    _, _, learner, _, loaded = trained(name)
    for one, other in zip(learner.embedder.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(array(one), array(other), err_msg=one.path)
        assert one.trainable == other.trainable, one.path
    np.testing.assert_array_equal(array(loaded(PIXELS)), array(learner.embedder(PIXELS)))


@pytest.mark.parametrize("name", FAMILIES)
def test_is_exported_and_served(trained, served, name):
    expected = embed(trained(name).loaded, as_image_set(PHOTOGRAPHS))
    given = served[name] / np.linalg.norm(served[name], axis=1, keepdims=True)
    np.testing.assert_allclose(given, expected, atol=1e-4)
    assert np.abs(expected - expected[0]).max() > 0.01


LORA = {
    "ViT": {"query", "value"},
    "Swin": {"attention_qkv"},
    "DINOv2": {"query", "value"},
    "DINOv3": {"q_proj", "v_proj"},
    "SigLIP": {"query", "value"},
    "CLIP": {"query", "value"},
    "EfficientNet": {"block2a_expand_conv", "block2a_se_reduce", "block2a_project"},
}


@pytest.mark.parametrize("name", LORA)
def test_lora_changes_queries_and_values_or_convolutions(name):
    backbone = FAMILIES[name].make()
    assert set(enable_lora(backbone, 2)) >= LORA[name]
    if name != "EfficientNet":
        learning = {weight.path.split("/")[-2] for weight in backbone.trainable_weights}
        assert learning == LORA[name]


def test_lora_resumes_bit_for_bit_and_is_merged_as_it_is_saved_and_exported(tmp_path):
    family = FAMILIES["DINOv3"]
    config = make_config(save_preset(family, tmp_path / "preset"), family, lora=2)
    _, learner = train(config, make_checkpoints(tmp_path))
    max((tmp_path / "run").glob("*.npz")).unlink()
    _, resumed = train(config, make_checkpoints(tmp_path))
    variables = [[*m.variables, *m.optimizer.variables] for m in (learner, resumed)]
    for one, other in zip(*variables, strict=True):
        np.testing.assert_array_equal(array(one), array(other), err_msg=one.path)
    factors = [w for w in learner.embedder.weights if "lora_kernel_b" in w.path]
    assert len(factors) == 2  # Those of the one block that is not frozen.
    assert all(np.abs(array(factor)).max() > 1e-4 for factor in factors)

    learner.save(tmp_path / "last.keras")
    loaded = keras.saving.load_model(tmp_path / "last.keras", compile=False).embedder
    assert not [weight.path for weight in loaded.weights if "lora" in weight.path]
    expected = array(learner.embedder(PIXELS))
    np.testing.assert_allclose(array(loaded(PIXELS)), expected, atol=1e-5)
    folder = export_model(learner.embedder, tmp_path / "models")
    served = tf.saved_model.load(str(folder)).signatures["embed_tensor"]
    np.testing.assert_allclose(served(pixels=PIXELS)["embedding"], expected, atol=1e-4)
    exported = tf.train.list_variables(str(folder / "variables" / "variables"))
    assert not [name for name, shape in exported if shape[-1:] == [config.embedder.lora]]
    np.testing.assert_array_equal(array(learner.embedder(PIXELS)), expected)
