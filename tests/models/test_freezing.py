import keras
import keras_hub
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.models.freezing import (
    freeze_batch_norm,
    freeze_layers,
    freeze_through,
    frozen_layers,
    synchronize_batch_norm,
)


def small_resnet():
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
    )


def names_of_frozen(backbone):
    return [layer.name for layer in backbone.layers if layer.weights and not layer.trainable]


def test_freeze_through_takes_the_last_layer_that_starts_so(make_backbone):
    backbone = make_backbone()
    freeze_through(backbone, "a_")
    assert names_of_frozen(backbone) == ["a_conv", "a_bn"]
    freeze_through(backbone, "b_conv")
    assert names_of_frozen(backbone) == ["a_conv", "a_bn", "b_conv"]
    assert [v.path for v in backbone.trainable_weights] == ["b_bn/gamma", "b_bn/beta"]


def test_freeze_through_names_the_layers_there_are(make_backbone):
    with pytest.raises(UserError, match=r"starts with 'stage9'.*a_conv, a_bn.*b_bn") as error:
        freeze_through(make_backbone(), "stage9")
    assert "\n" not in str(error.value)


def test_frozen_batch_norm_keeps_its_statistics_and_uses_them(make_backbone, images):
    backbone = make_backbone()
    freeze_batch_norm(backbone)
    assert names_of_frozen(backbone) == ["a_bn", "b_bn"]
    before = [array(v).copy() for v in backbone.get_layer("a_bn").variables]
    in_training, at_rest = (array(backbone(images, training=way)) for way in (True, False))
    np.testing.assert_allclose(in_training, at_rest, rtol=1e-5)
    for old, new in zip(before, backbone.get_layer("a_bn").variables, strict=True):
        np.testing.assert_array_equal(old, array(new))


def nested_backbone():
    block = keras.Sequential(
        [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()], name="block"
    )
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, keras.layers.Conv2D(2, 1)(block(inputs)))


def test_freeze_batch_norm_reaches_into_blocks():
    backbone = nested_backbone()
    freeze_batch_norm(backbone)
    convolution, batch_norm = backbone.get_layer("block").layers
    assert not batch_norm.trainable
    assert convolution.trainable
    assert len(backbone.trainable_weights) == 4


@pytest.mark.tensorflow("Keras synchronizes BatchNormalization under TensorFlow alone")
def test_synchronize_batch_norm_reaches_into_blocks_and_changes_nothing_on_one_device(images):
    backbone = nested_backbone()
    before = backbone(images, training=True)
    synchronize_batch_norm(backbone)
    _, batch_norm = backbone.get_layer("block").layers
    assert batch_norm.synchronized
    np.testing.assert_allclose(backbone(images, training=True), before, rtol=1e-3, atol=1e-3)
    revived = keras.Model.from_config(backbone.get_config())
    assert revived.get_layer("block").layers[1].synchronized


@pytest.mark.parametrize("make", [small_resnet, nested_backbone])
def test_frozen_layers_are_frozen_again_in_another_backbone(make):
    backbone, other = make(), make()
    assert frozen_layers(backbone) == []
    freeze_batch_norm(backbone)
    freeze_through(backbone, backbone.layers[1].name)
    freeze_layers(other, frozen_layers(backbone))
    assert frozen_layers(other) == frozen_layers(backbone)
    shapes = [[v.shape for v in b.trainable_weights] for b in (backbone, other)]
    assert shapes[0] == shapes[1]
    assert 0 < len(shapes[0]) < len(make().trainable_weights)


def nested_encoder(blocks=11):
    """A transformer whose blocks are in its layer `encoder`, each with a Dense in an `mlp`."""
    inputs = keras.Input((3, 4))
    patches = keras.layers.Dense(4, name="patches")(inputs)

    def block(number):
        mlp = keras.Sequential([keras.Input((3, 4)), keras.layers.Dense(4)], name="mlp")
        return keras.Sequential([mlp, keras.layers.LayerNormalization()], name=f"layers_{number}")

    encoder = keras.Sequential([block(number) for number in range(blocks)], name="encoder")
    return keras.Model(inputs, keras.layers.LayerNormalization(name="norm")(encoder(patches)))


@pytest.mark.parametrize(
    ("prefix", "trainable"),
    [
        ("patches", 11 * 4 + 2),
        ("encoder/layers_0", 10 * 4 + 2),
        ("encoder/layers_1", 9 * 4 + 2),
        ("encoder/layers_9/mlp", 1 * 4 + 2 + 2),
        ("encoder/layers_10", 2),
        ("encoder/layers", 2),
        ("encoder", 2),
        ("norm", 0),
    ],
)
def test_freeze_through_a_block_within_a_layer(prefix, trainable):
    backbone, other = nested_encoder(), nested_encoder()
    freeze_through(backbone, prefix)
    assert len(backbone.trainable_weights) == trainable
    assert backbone.trainable_weights == backbone.weights[len(backbone.weights) - trainable :]
    freeze_layers(other, frozen_layers(backbone))
    assert len(other.trainable_weights) == trainable


def test_blocks_within_a_layer_are_named_where_none_is_found():
    expected = r"run patches, encoder/layers_0, .*, \.\.\. .*, encoder/layers_10, norm\.$"
    with pytest.raises(UserError, match=expected):
        freeze_through(nested_encoder(), "encoder/layers_11")
