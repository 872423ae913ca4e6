import keras
import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.models import NoiseAssistedModel, NoiseInvariantModel
from nfl_keras.models.pretext import Rotation
from nfl_keras.optimizers import GroupedAdamW, GroupedSGD
from nfl_keras.training.build_model import build_model, build_optimizer, compile_model
from nfl_keras.training.config import TrainConfig


@pytest.fixture
def config(preset):
    """Function to the settings of a network of two convolutions."""

    def make(**settings):
        common = {"backbone": str(preset), "image_size": 16, "embedding_dim": 8, "epochs": 4}
        return TrainConfig.from_settings(**{**common, **settings})

    return make


@pytest.fixture
def batch():
    """8 images of 4 classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(8, dtype="int32") % 4
    images = 60.0 * labels[:, None, None, None] + rng.uniform(0, 60, (8, 16, 16, 3))
    return images.astype("float32"), labels


def learner(config):
    keras.utils.set_random_seed(0)
    model = build_model(config, class_labels=[0, 1, 2, 3])
    compile_model(model, config, batches_per_epoch=3)
    return model


def moved(model, batch):
    """How far a step moves the weights of the backbone, and the others."""
    weights = model.trainable_weights
    before = [weight.numpy() for weight in weights]
    model.train_on_batch(*batch)
    steps = {id(w): w.numpy() - b for w, b in zip(weights, before, strict=True)}
    backbone = [steps.pop(id(w)) for w in model.embedder.backbone.trainable_weights]
    return backbone, list(steps.values())


def test_classification_has_a_neck_unless_told_otherwise(config):
    for recipe in ("noise-invariant", "classification"):
        own = recipe == "classification"
        assert build_model(config(recipe=recipe), range(4)).embedder.neck is own
    assert build_model(config(neck=True), range(4)).embedder.neck
    with pytest.raises(UserError, match="a run without neck false"):
        build_model(config(recipe="classification", neck=False), range(4))


@pytest.mark.parametrize("frozen", [None, "block1"])
def test_the_backbone_alone_learns_at_its_own_rate(config, batch, frozen):
    settings = {
        "optimizer": "sgd",
        "schedule": "constant",
        "warmup_epochs": 0,
        "learning_rate": 0.01,
        "freeze_through": frozen,
        "weight_decay": 0.1,
    }
    backbone, others = moved(learner(config(**settings)), batch)
    slow, as_before = moved(learner(config(**settings, backbone_rate=0.25)), batch)
    assert len(backbone) == (4 if frozen is None else 2)
    assert len(others) == 4
    for one, other in zip(as_before, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-7)
    for one, other in zip(slow, backbone, strict=True):
        assert np.abs(other).max() > 1e-4
        np.testing.assert_allclose(one, 0.25 * other, rtol=1e-2, atol=1e-6)


def test_the_optimizer_is_the_one_of_the_settings():
    adamw = build_optimizer(TrainConfig(), 5)
    assert isinstance(adamw, GroupedAdamW)
    assert (adamw.kernel_decay, adamw.global_clipnorm, adamw.use_ema) == (1e-4, None, False)
    sgd = build_optimizer(
        TrainConfig.from_settings(
            optimizer="sgd", momentum=0.8, clip_norm=3.0, ema=0.99, weight_decay=0.0
        ),
        5,
    )
    assert isinstance(sgd, GroupedSGD)
    assert (sgd.momentum, sgd.global_clipnorm, sgd.kernel_decay) == (0.8, 3.0, 0.0)
    assert (sgd.use_ema, sgd.ema_momentum, sgd.ema_overwrite_frequency) == (True, 0.99, None)


def test_lora_leaves_the_kernels_of_the_backbone_and_frozen_layers_alone(config, batch):
    model = learner(config(lora=2, freeze_through="block1", warmup_epochs=0))
    before = {w.path: w.numpy() for w in model.embedder.backbone.weights}
    model.train_on_batch(*batch)
    after = {w.path: w.numpy() for w in model.embedder.backbone.weights}
    learned = {path for path in before if not np.array_equal(before[path], after[path])}
    # A has no gradient before B has learned; but it decays.
    assert {path.rpartition("/")[2] for path in learned} >= {"lora_kernel_b", "bias"}
    assert not [path for path in learned if path.endswith("/kernel") or "block1" in path]


@pytest.mark.parametrize("jit_compile", [True, False])
def test_xla_is_a_setting(config, jit_compile):
    assert learner(config(jit_compile=jit_compile)).jit_compile is jit_compile


def test_the_size_of_chunks_is_a_setting(config):
    assert learner(config(chunk_size=4)).chunk_size == 4
    assert learner(config()).chunk_size == 0


def test_the_weights_that_the_optimizer_is_built_with_are_those_of_the_step(config):
    model = learner(config(freeze_through="block1"))
    assert [id(w) for w in model.trainable_weights] == [id(v) for v in model.trainable_variables]


def test_each_setting_of_the_first_recipe_reaches_its_model(config):
    settings = {
        "lambda_d": 0.5,
        "lambda_n": 0.25,
        "lambda_s": 0.75,
        "temperature": 0.3,
        "noise_stddev": 0.2,
        "label_smoothing": 0.05,
        "seed": 3,
    }
    model = build_model(config(**settings), class_labels=np.array([2, 3, 5, 8], "int32"))
    assert type(model) is NoiseInvariantModel
    assert {name: getattr(model, name) for name in settings} == settings
    assert model.num_classes == 4
    assert model.class_labels == [2, 3, 5, 8]


def test_each_setting_of_the_second_recipe_reaches_its_model(config):
    settings = {
        "lambda_inter": 0.5,
        "lambda_intra": 0.25,
        "lambda_pretext": 0.75,
        "lambda_softmax": 0.125,
        "temperature": 0.3,
        "noise": "gaussian",
        "noise_stddev": 0.2,
        "window": 4,
        "seed": 3,
    }
    made = config(**settings, recipe="noise-assisted", pretext="rotation")
    model = build_model(made, class_labels=[0, 1, 2, 3])
    assert type(model) is NoiseAssistedModel
    assert {name: getattr(model, name) for name in settings} == settings
    assert isinstance(model.pretext, Rotation)
    assert model.num_classes == 4
    assert [term.name for term in model.terms][:3] == ["L_inter", "L_intra", "L_pretext"]


def test_the_backbone_and_proxies_learn_at_their_own_rates(config, batch):
    settings = {"backbone_rate": 0.5, "proxy_rate": 7.0, "warmup_epochs": 0}
    model = learner(config(**settings, recipe="proxy", precision="mixed_bfloat16"))
    assert set(model.optimizer.rate_factors) == {0.5, 1.0, 7.0}
    assert model.optimizer.rate_factors.count(7.0) == 1
    before = model.unit_proxies().numpy()
    assert np.isfinite(model.train_on_batch(*batch, return_dict=True)["proxy-anchor"])
    assert np.any(model.unit_proxies().numpy() != before)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_precision_is_the_networks_alone(config, precision):
    model = learner(config(precision=precision))
    assert keras.config.dtype_policy().name == "float32"
    layers = model.embedder.backbone.layers
    assert {layer.dtype_policy.name for layer in layers} == {precision}
    assert model.embedder.get_layer("projection").dtype_policy.name == precision
    assert model.classifier.dtype_policy.name == precision
    assert model.embedder.get_layer("embedding").dtype_policy.name == "float32"
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")


def test_the_policy_is_restored_where_a_model_cannot_be_built(config):
    with pytest.raises(UserError):
        build_model(
            config(precision="mixed_bfloat16", freeze_through="nowhere"), class_labels=[0, 1, 2, 3]
        )
    assert keras.config.dtype_policy().name == "float32"
