import json

import keras
import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.optimizers import GroupedAdamW, GroupedSGD

SHAPES = {"kernel": (3, 2), "bias": (2,), "depthwise_kernel": (2, 2), "gamma": (3,)}
PAIRS = {
    "adamw": (GroupedAdamW, keras.optimizers.AdamW, {}),
    "sgd": (GroupedSGD, keras.optimizers.SGD, {"momentum": 0.9}),
}


@pytest.fixture
def make_weights():
    """Function that makes equal variables of four names."""

    def make():
        rng = np.random.default_rng(0)
        return [
            keras.Variable(rng.normal(size=s), dtype="float32", name=n) for n, s in SHAPES.items()
        ]

    return make


def gradients(steps=6):
    rng = np.random.default_rng(1)
    return [[rng.normal(size=s).astype("float32") for s in SHAPES.values()] for _ in range(steps)]


def trained(optimizer, weights):
    for of_step in gradients():
        positions = [list(SHAPES).index(weight.name) for weight in weights]
        optimizer.apply([keras.ops.convert_to_tensor(of_step[p]) for p in positions], weights)
    return [weight.numpy() for weight in weights]


def falling():
    return keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)


@pytest.mark.parametrize("name", PAIRS)
def test_with_one_rate_it_is_the_optimizer_of_keras_less_the_decay_of_what_is_no_kernel(
    name, make_weights
):
    ours, of_keras, settings = PAIRS[name]
    theirs = of_keras(falling(), weight_decay=0.3, **settings)
    theirs.exclude_from_weight_decay(var_names=["bias", "gamma"])
    found = trained(ours(falling(), kernel_decay=0.3, **settings), make_weights())
    for one, other in zip(found, trained(theirs, make_weights()), strict=True):
        np.testing.assert_array_equal(one, other)
    without = trained(ours(falling(), **settings), make_weights())
    assert [np.array_equal(a, b) for a, b in zip(found, without, strict=True)] == [
        "kernel" not in weight for weight in SHAPES
    ]


@pytest.mark.parametrize("name", PAIRS)
def test_a_rate_factor_is_the_one_of_an_optimizer_of_that_rate(name, make_weights):
    ours, of_keras, settings = PAIRS[name]
    together = ours(0.05, kernel_decay=0.3, rate_factors=[0.1, 0.1, 1, 1], **settings)
    found = trained(together, make_weights())
    expected = []
    for rate, chosen in ((0.005, slice(0, 2)), (0.05, slice(2, 4))):
        theirs = of_keras(rate, weight_decay=0.3, **settings)
        theirs.exclude_from_weight_decay(var_names=["bias", "gamma"])
        expected += trained(theirs, make_weights()[chosen])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_the_norm_that_is_clipped_is_of_all_weights_together(make_weights):
    weights = make_weights()
    before = [weight.numpy() for weight in weights]
    optimizer = GroupedSGD(1.0, rate_factors=[1, 0.25, 1, 1], global_clipnorm=0.5)
    (of_step,) = gradients(1)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in of_step], weights)
    norm = np.sqrt(sum(np.sum(g.astype("float64") ** 2) for g in of_step))
    assert norm > 0.5
    for i, (weight, start, gradient) in enumerate(zip(weights, before, of_step, strict=True)):
        factor = (0.25 if i == 1 else 1.0) * 0.5 / norm
        np.testing.assert_allclose(start - weight.numpy(), factor * gradient, atol=1e-6)


def test_there_must_be_as_many_rate_factors_as_weights(make_weights):
    with pytest.raises(UserError, match=r"each of the 4 variables .* not 3"):
        GroupedSGD(0.1, rate_factors=[1, 1, 1]).build(make_weights())


def test_the_weights_are_not_replaced_when_fit_ends(make_weights):
    weights = make_weights()
    optimizer = GroupedSGD(0.1, use_ema=True, ema_momentum=0.9)
    after = trained(optimizer, weights)
    optimizer.finalize_variable_values(weights)
    for weight, value in zip(weights, after, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("name", PAIRS)
def test_a_saved_model_resumes_as_if_it_had_not_been_saved(name, tmp_path):
    ours, _, settings = PAIRS[name]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    factors = [0.1, 0.1, 1.0, 0.5]
    optimizer = ours(falling(), kernel_decay=0.2, rate_factors=factors, **settings)
    model.compile(optimizer, loss="mse")
    inputs = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")

    def fit(model):
        model.fit(inputs, inputs[:, :1], batch_size=4, shuffle=False, epochs=2, verbose=0)

    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    config = optimizer.get_config()
    assert type(loaded.optimizer) is ours
    assert json.loads(json.dumps(loaded.optimizer.get_config())) == json.loads(json.dumps(config))
    assert (config["rate_factors"], config["kernel_decay"]) == (factors, 0.2)
    fit(model)
    fit(loaded)
    assert int(loaded.optimizer.iterations) == 8
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
