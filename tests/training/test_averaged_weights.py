import keras
import numpy as np
import pytest

from nfl_keras.optimizers import GroupedAdamW
from nfl_keras.training.averaged_weights import averaged_weights

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(24, 5)).astype("float32")
TARGETS = RNG.normal(size=(24, 1)).astype("float32")


@pytest.fixture
def make_model():
    """Function to a compiled network with frozen weights, and others that are not trained."""

    def make(optimizer):
        keras.utils.set_random_seed(0)
        frozen = keras.layers.Dense(4, trainable=False)
        layers = [frozen, keras.layers.BatchNormalization(), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((5,)), *layers])
        model.compile(optimizer, loss="mse")
        model.optimizer.build(model.trainable_weights)
        return model

    return make


class Recorded(keras.callbacks.Callback):
    """The trained weights after each step; looks at their averages as an epoch ends."""

    def __init__(self):
        super().__init__()
        self.after_steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.after_steps.append([w.numpy() for w in self.model.trainable_weights])

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            self.averages = [w.numpy() for w in self.model.trainable_weights]


def fit(model):
    recorded = Recorded()
    settings = {"batch_size": 6, "epochs": 3, "shuffle": False, "verbose": 0}
    model.fit(INPUTS, TARGETS, callbacks=[recorded], **settings)
    return recorded


@pytest.mark.parametrize("scaled", [False, True])
def test_within_it_the_weights_are_their_averages_and_after_it_themselves(
    make_model, scaled, tmp_path
):
    optimizer = GroupedAdamW(0.05, use_ema=True, ema_momentum=0.7)
    wrapper = keras.optimizers.LossScaleOptimizer
    model = make_model(wrapper(optimizer) if scaled else optimizer)
    recorded = fit(model)
    assert len(recorded.after_steps) == 12
    by_hand = [weight.astype("float64") for weight in recorded.after_steps[0]]
    for weights in recorded.after_steps[1:]:
        by_hand = [0.7 * a + 0.3 * w for a, w in zip(by_hand, weights, strict=True)]
    for average, expected in zip(recorded.averages, by_hand, strict=True):
        np.testing.assert_allclose(average, expected, rtol=1e-5, atol=1e-6)
    raw = model.get_weights()
    with averaged_weights(model):
        averaged = model.get_weights()
        model.save(tmp_path / "averaged.keras")
    for one, other in zip(raw, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(recorded.after_steps[-1], model.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    assert any(np.any(one != other) for one, other in zip(raw, averaged, strict=True))
    loaded = keras.saving.load_model(tmp_path / "averaged.keras", compile=False)
    for one, other in zip(averaged, loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_averages_and_looking_at_them_leave_training_as_it_is(make_model):
    with_averages = make_model(GroupedAdamW(0.05, use_ema=True, ema_momentum=0.7))
    without = make_model(GroupedAdamW(0.05))
    fit(with_averages)
    fit(without)
    for one, other in zip(with_averages.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_weights_come_back_after_an_error(make_model):
    model = make_model(GroupedAdamW(0.05, use_ema=True, ema_momentum=0.7))
    fit(model)
    raw = model.get_weights()
    with pytest.raises(RuntimeError), averaged_weights(model):
        raise RuntimeError
    for one, other in zip(raw, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", ["adam", GroupedAdamW(0.05, use_ema=True)])
def test_before_the_first_step_and_without_averages_nothing_changes(make_model, optimizer):
    model = make_model(optimizer)
    before = model.get_weights()
    with averaged_weights(model):
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
