import types

import keras
import numpy as np
import pytest
from keras import ops

import nfl_keras
from nfl_keras.data import BalancedSampler, sampled_batches
from nfl_keras.errors import UserError
from nfl_keras.models import Learner, Term
from nfl_keras.training.callbacks.stop_at_non_finite import StopAtNonFinite


class Plan:
    """A sampler whose batch i of epoch e holds 64 photographs that are named `e-i/...`."""

    batches_per_epoch = 100
    ids = np.array([f"{p // 6400}-{p % 6400 // 64}/{p % 64}.jpg" for p in range(6 * 6400)])

    def __init__(self):
        self.epochs = []

    def epoch(self, number):
        self.epochs.append(number)
        return number * 6400 + np.arange(6400).reshape(100, 64)


class Saving(keras.callbacks.Callback):
    """What saves after each step."""

    def __init__(self):
        super().__init__()
        self.saved = []

    def on_train_batch_end(self, batch, logs=None):
        self.saved.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.saved.append("epoch")


@pytest.fixture
def embedder():
    inputs = keras.Input((16, 16, 3))
    outputs = keras.layers.Conv2D(4, 3, strides=4, name="convolution")(inputs)
    return nfl_keras.models.Embedder(keras.Model(inputs, outputs), 4, 16, 1 / 127.5, -1.0)


def stopped(guard, logs, epoch=0, batch=0):
    """The message at a step, or `None`."""
    guard.set_model(types.SimpleNamespace(terms=[types.SimpleNamespace(name="L_D")]))
    guard.on_epoch_begin(epoch)
    try:
        guard.on_train_batch_end(batch, logs)
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_run_stops_at_the_step_with_the_term_and_the_photographs(value, embedder, photographs):
    train = nfl_keras.data.load(str(photographs), split="all")
    sampler = BalancedSampler(train.labels, classes_per_batch=3, images_per_class=2, seed=3)
    plan = [labels.numpy() for _, labels in sampled_batches(train, sampler, image_size=16)]
    # The first class that the first batch lacks turns up in a later one.
    poison = next(c for c in range(6) if c not in plan[0])
    first = next(i for i, labels in enumerate(plan) if poison in labels)
    assert 0 < first < len(plan) - 1

    def sick(outputs):
        return ops.where(ops.equal(outputs.labels, poison), value, ops.zeros_like(outputs.labels))

    def sound(outputs):
        return ops.sum((outputs.embeddings["clean"] - 1.0) ** 2, axis=1)

    terms = [Term("sound", 1.0, sound), Term("sick", 1.0, lambda o: ops.cast(sick(o), "float32"))]
    learner = Learner(embedder, terms)
    learner.compile(keras.optimizers.SGD(1e-3))
    batches = sampled_batches(train, sampler, image_size=16)
    guard, saving = StopAtNonFinite(sampler, train.ids), Saving()
    with pytest.raises(UserError) as refused:
        learner.fit(batches, epochs=2, verbose=0, shuffle=False, callbacks=[guard, saving])
    message = str(refused.value)
    assert message.startswith(f"sick is {value} at step {first + 1} (epoch 1, batch {first + 1})")
    assert "\n" not in message
    named = message.partition("photographs ")[2].partition(";")[0].split(", ")
    assert len(set(named)) == 6
    assert [train.class_names.index(name.split("/")[0]) for name in named] == list(plan[first])
    assert saving.saved == list(range(first))


def test_the_names_are_few_and_the_step_is_counted_over_epochs():
    guard = StopAtNonFinite(Plan(), Plan.ids)
    message = stopped(guard, {"L_D": np.nan, "loss": np.nan}, epoch=2, batch=4)
    assert message.startswith("L_D is nan at step 205 (epoch 3, batch 5)")
    assert "2-4/0.jpg, 2-4/1.jpg" in message
    assert "2-4/7.jpg and 56 more;" in message
    assert "2-4/8.jpg" not in message


def test_a_run_that_resumes_within_an_epoch_counts_from_there():
    guard = StopAtNonFinite(Plan(), Plan.ids, first_batch=7)
    sick = {"L_D": 1.0, "loss": np.inf}
    message = stopped(guard, sick, epoch=4, batch=1)
    assert "loss is inf at step 409 (epoch 5, batch 9)" in message
    assert "photographs 4-8/0.jpg, 4-8/1.jpg" in message
    guard.on_epoch_end(4)
    message = stopped(guard, sick, epoch=5, batch=1)
    assert "at step 502 (epoch 6, batch 2)" in message
    assert "photographs 5-1/0.jpg, 5-1/1.jpg" in message


def test_finite_terms_do_not_stop_whatever_the_metrics_are():
    plan = Plan()
    logs = {"L_D": 3e38, "loss": 0.0, "metric of one's own": np.nan}
    assert stopped(StopAtNonFinite(plan, Plan.ids), logs) is None
    assert plan.epochs == []
