import keras
import keras_hub
import numpy as np
import pytest
from keras import ops
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder
from nfl_keras.models.resize_backbone import resize_backbone

models = keras_hub.models
OF_TOKENS = {"patch_size": 8, "num_layers": 1, "num_heads": 1, "hidden_dim": 4}
DINO = {**OF_TOKENS, "intermediate_dim": 4}


def dinov2(**arguments):
    return models.DINOV2Backbone(
        **DINO, image_shape=(40, 40, 3), position_embedding_shape=(40, 40), **arguments
    )


def positions_of(backbone):
    """The table of position embeddings `[P + S * S, C]` that a backbone adds."""
    name = "interpolated_position_embeddings"
    layers = [layer for layer in backbone.layers if layer.weights]
    named = [weight for weight in layers[0].weights if name in weight.path]
    named = named or [weight for weight in layers[0].weights if "position_embedding" in weight.path]
    return array(named[0]).reshape(-1, 4)


@pytest.mark.parametrize(
    "arguments", [{}, {"num_register_tokens": 2, "antialias_in_interpolation": True}]
)
def test_a_dinov2_is_resized_as_keras_hub_does(arguments, tmp_path):
    backbone = dinov2(**arguments)
    backbone.save_to_preset(tmp_path)
    expected = models.Backbone.from_preset(str(tmp_path), image_shape=(24, 24, 3))
    images = np.random.default_rng(0).normal(size=(2, 24, 24, 3)).astype("float32")
    resized = resize_backbone(backbone, 24)
    np.testing.assert_allclose(
        array(resized({"images": images})), array(expected({"images": images})), atol=1e-5
    )


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (lambda shape: models.ViTBackbone(shape, **OF_TOKENS, mlp_dim=4), 1),
        (
            lambda shape: models.ViTBackbone(shape, **OF_TOKENS, mlp_dim=4, use_class_token=False),
            0,
        ),
        (lambda shape: models.DeiTBackbone(shape, **OF_TOKENS, intermediate_dim=4), 2),
        (lambda shape: models.SigLIPVisionEncoder(**DINO, image_shape=shape), 0),
    ],
)
def test_position_embeddings_are_interpolated_but_those_of_other_tokens(make, prefix):
    backbone = make((40, 40, 3))
    before = positions_of(backbone)
    assert len(before) == prefix + 25
    resized = resize_backbone(backbone, 80)
    after = positions_of(resized)
    assert len(after) == prefix + 100
    np.testing.assert_array_equal(after[:prefix], before[:prefix])
    # Four places now lie about each place there was, and a smooth curve runs through them.
    about = after[prefix:].reshape(5, 2, 5, 2, 4).mean(axis=(1, 3)).reshape(25, 4)
    correlation = np.corrcoef(about.ravel(), before[prefix:].ravel())[0, 1]
    assert correlation > 0.95
    others = [
        (array(old), array(new))
        for old, new in zip(backbone.weights, resized.weights, strict=True)
        if old.shape == new.shape
    ]
    assert len(others) >= len(backbone.weights) - 2
    for old, new in others:
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", ["dinov3", "maps"])
def test_what_has_no_position_embeddings_keeps_all_its_weights(name):
    backbone = (
        models.DINOV3Backbone(**DINO, image_shape=(40, 40, 3))
        if name == "dinov3"
        else models.VGGBackbone([1], [4], image_shape=(40, 40, 3))
    )
    resized = resize_backbone(backbone, 24)
    for old, new in zip(backbone.weights, resized.weights, strict=True):
        np.testing.assert_array_equal(array(old), array(new))


def test_what_takes_the_size_stays_itself():
    backbone = models.ViTBackbone((16, 16, 3), **OF_TOKENS, mlp_dim=4)
    assert resize_backbone(backbone, 16) is backbone
    pixels = keras.Input((8, 8, 3))
    mine = keras.Model(pixels, ops.tanh(pixels))
    assert resize_backbone(mine, 16) is mine


def swin():
    return models.SwinTransformerBackbone(
        (16, 16, 3), embed_dim=4, depths=(1, 1), num_heads=(1, 1), window_size=2
    )


@pytest.mark.filterwarnings("ignore:Layer 'attn'.*does not support masking")
@pytest.mark.parametrize(
    ("make", "image_size", "message"),
    [
        (dinov2, 41, "cannot be made for image_size 41; set it to a multiple of 8.$"),
        (swin, 20, "image_size 20; set it to a multiple of 8 from 16 up.$"),
        (swin, 8, "image_size 8; set it to a multiple of 8 from 16 up.$"),
    ],
)
def test_sizes_that_a_preset_cannot_take_are_refused_in_one_line(
    make, image_size, message, tmp_path
):
    make().save_to_preset(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        Embedder(str(tmp_path), 4, image_size)
    assert "\n" not in str(error.value)
