import keras
import keras_hub.models as hub
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models import (
    ClassificationModel,
    Embedder,
    NoiseAssistedModel,
    NoiseInvariantModel,
)
from nfl_keras.models.freezing import _blocks as names_of_blocks
from nfl_keras.models.freezing import freeze_through
from nfl_keras.models.network_cut import NetworkCut

array = ops.convert_to_numpy
layers = keras.layers


def conv(name, **arguments):
    return layers.Conv2D(4, 3, padding="same", name=name, **arguments)


def chain():
    names = ("a", "b", "c")
    return keras.Sequential([keras.Input((8, 8, 3)), *map(conv, names)])


def branches():
    """Two paths around `b`, which meet again in `add`."""
    pixels = keras.Input((None, None, 3))
    a = conv("a")(pixels)
    return keras.Model(pixels, conv("c")(layers.Add(name="add")([a, conv("b")(a)])))


def nested():
    """A network within the network, called as if it were never to be trained."""
    inner = keras.Input((8, 8, 3))
    inner = keras.Model(inner, conv("b")(conv("a")(inner)), name="inner")
    pixels = keras.Input((8, 8, 3))
    return keras.Model(pixels, conv("c")(inner(pixels, training=False)))


def normalized(middle):
    """With a layer between `a` and `b` that is not the same in each step."""
    pixels = keras.Input((8, 8, 3))
    return keras.Model(pixels, conv("b")(layers.ReLU(name="relu")(middle(conv("a")(pixels)))))


def shared():
    """With one layer at two places."""
    pixels, a = keras.Input((8, 8, 3)), conv("a")
    b = conv("b")
    return keras.Model(pixels, conv("c")(b(layers.ReLU()(b(a(pixels))))))


# Each: the network, the layers that are frozen, and the last layer of the lower part.
CUTS = [
    (chain, "a", "a"),
    (chain, "a b", "b"),
    (chain, "a c", "a"),
    (chain, "a b c", "features"),
    (branches, "a", "a"),
    (branches, "a b", "add"),
    (nested, "a", "a"),
    (nested, "a b", "b"),
    (shared, "a b", "b"),
    (lambda: normalized(layers.BatchNormalization(name="norm")), "a norm", "relu"),
    (lambda: normalized(layers.BatchNormalization(name="norm")), "a", "a"),
    (lambda: normalized(layers.BatchNormalization(center=False, scale=False)), "a", "a"),
    (lambda: normalized(layers.Dropout(0.5, seed=0, name="drop")), "a drop", "a"),
    (lambda: normalized(layers.Dropout(0.0)), "a", "relu"),
    (lambda: normalized(layers.Activation("tanh")), "a", "relu"),
]
REFUSED = [
    (chain, "", "'a' of the backbone is trained"),
    (chain, "b c", "'a' of the backbone is trained"),
    (nested, "b", "'a' of the backbone is trained"),
]


OF_TOKENS = {"patch_size": 4, "num_layers": 2, "num_heads": 1, "hidden_dim": 4}
DINO = {**OF_TOKENS, "intermediate_dim": 4, "image_shape": (8, 8, 3)}

# Each: the network, the last frozen block, and the shape of what it gives.
TRANSFORMERS = [
    (lambda: hub.ViTBackbone((8, 8, 3), **OF_TOKENS, mlp_dim=4), 0, (5, 4)),
    (lambda: hub.ViTBackbone((8, 8, 3), **OF_TOKENS, mlp_dim=4), 1, (5, 4)),
    (lambda: hub.DeiTBackbone((8, 8, 3), **OF_TOKENS, intermediate_dim=4), 0, (6, 4)),
    (lambda: hub.DINOV2Backbone(**DINO, position_embedding_shape=(8, 8)), 0, (5, 4)),
]


def frozen(make, names, **arguments):
    """An embedder of 8 x 8 pixels with frozen layers."""
    embedder = Embedder(make(), 4, 8, 1 / 127.5, -1.0, **arguments)
    for layer in embedder._flatten_layers():
        if layer.name in names.split():
            layer.trainable = False
    return embedder


@pytest.mark.parametrize(("make", "names", "last"), CUTS)
def test_the_two_parts_are_the_network(make, names, last, images):
    embedder = frozen(make, names)
    weights = len(embedder.weights)
    cut = NetworkCut.of(embedder)
    assert cut.last == last
    assert not cut.lower.trainable_weights
    features = array(cut.features(cut.lower(images, training=False)))
    np.testing.assert_allclose(features, array(embedder.features(images)), rtol=1e-5, atol=1e-5)
    assert len(embedder.weights) == weights
    assert {id(w) for w in cut.upper.weights} <= {id(w) for w in embedder.weights}


@pytest.mark.parametrize(("make", "block", "shape"), TRANSFORMERS)
def test_a_transformer_is_cut_between_its_blocks(make, block, shape, images):
    embedder = Embedder(make(), 4, 8)
    blocks = [name for name in names_of_blocks(embedder.backbone) if "/" in name]
    freeze_through(embedder.backbone, blocks[block])
    cut = NetworkCut.of(embedder)
    assert cut.lower.output_shape[1:] == shape
    assert len(cut.upper.trainable_weights) == len([w for w in embedder.backbone.trainable_weights])
    lower = cut.lower(images, training=False)
    for training in (False, True):
        np.testing.assert_allclose(
            array(cut.features(lower, training=training)),
            array(embedder.features(images, training=training)),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize(("make", "names", "message"), REFUSED)
def test_a_network_that_learns_from_its_beginning_is_refused(make, names, message):
    with pytest.raises(UserError, match=message):
        NetworkCut.of(frozen(make, names))


def test_a_dinov3_which_gives_each_block_its_rotations_beside_the_tokens_is_refused():
    embedder = Embedder(hub.DINOV3Backbone(**DINO), 4, 8)
    freeze_through(embedder.backbone, next(iter(names_of_blocks(embedder.backbone))))
    with pytest.raises(UserError, match="several tensors lead from them to the layer 'encoder'"):
        NetworkCut.of(embedder)


def test_layers_of_one_name_are_refused():
    inner = keras.Input((8, 8, 3))
    inner = keras.Model(inner, conv("a")(inner))
    pixels = keras.Input((8, 8, 3))
    backbone = keras.Model(pixels, conv("a")(inner(pixels)))
    with pytest.raises(UserError, match='The name "a" is used 2 times'):
        NetworkCut.of(Embedder(backbone, 4, 8))


def test_a_cut_embedder_is_saved_as_ever(tmp_path, images):
    embedder = frozen(branches, "a b")
    NetworkCut.of(embedder)
    embedder.save(tmp_path / "embedder.keras")
    again = keras.saving.load_model(tmp_path / "embedder.keras")
    np.testing.assert_allclose(array(again(images)), array(embedder(images)), atol=1e-6)


def test_the_upper_part_takes_any_precision(images):
    embedder = frozen(chain, "a")
    cut = NetworkCut.of(embedder)
    lower = array(cut.lower(images)).astype("float16")
    features = array(cut.features(lower))
    np.testing.assert_allclose(features, array(embedder.features(images)), rtol=0.02, atol=0.02)


RECIPES = [
    lambda embedder: NoiseInvariantModel(embedder, num_classes=3, seed=1),
    lambda embedder: NoiseAssistedModel(embedder, 2, "rotation", lambda_softmax=1.0, num_classes=3),
    lambda embedder: NoiseAssistedModel(embedder, 2, "exemplar", "gaussian"),
    lambda embedder: ClassificationModel(embedder, 3),
]


@pytest.mark.parametrize("make", RECIPES)
@pytest.mark.tensorflow("the test takes gradients by its tape")
def test_outputs_of_the_lower_part_teach_what_the_views_do(make, images, labels):
    backbone = normalized(layers.BatchNormalization(name="norm"))
    model = make(frozen(lambda: backbone, "a", neck=True))
    model.cut = NetworkCut.of(model.embedder)
    views, draws = model.views_and_draws(ops.convert_to_tensor(images), training=True)
    lower = {name: model.cut.lower(view, training=False) for name, view in views.items()}
    generators = [g for layer in model._flatten_layers() for g in layer._seed_generators]
    states = [array(generator.state) for generator in generators]
    found = []
    for outputs in (
        lambda: model.outputs_of(views, labels, True, draws),
        lambda: model.outputs({"views": lower, "draws": draws}, labels, True),
    ):
        for generator, state in zip(generators, states, strict=True):
            generator.state.assign(state)
        found.append(loss_and_gradients(model, outputs))
    (loss, gradients), (of_lower, gradients_of_lower) = found
    assert of_lower == pytest.approx(loss, rel=1e-5)
    assert len(gradients) == len(model.trainable_weights)
    for gradient, expected in zip(gradients_of_lower, gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def loss_and_gradients(model, outputs):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, _ = model.objective(outputs())
    return float(loss), [array(g) for g in tape.gradient(loss, model.trainable_weights)]


def test_an_embedder_fits_while_it_pools_alike():
    embedder = Embedder(chain(), 2, image_size=8, pooling="gem")
    freeze_through(embedder.backbone, "a")
    cut = NetworkCut.of(embedder)
    plain = embedder.without_projection()
    assert cut.fits(plain)
    assert not cut.fits(Embedder(embedder.backbone, None, image_size=8, pooling="mean"))
    embedder.get_layer("features").set_weights([np.float32(5)])
    assert not cut.fits(plain)
    assert cut.fits(embedder.without_projection())
