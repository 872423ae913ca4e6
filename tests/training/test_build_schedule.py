import math

import keras
import numpy as np
import pytest

from nfl_keras.optimizers import WarmUp
from nfl_keras.training.build_schedule import build_schedule
from nfl_keras.training.config import TrainConfig

BATCHES = 7


def by_hand(settings, step):
    warmup = round(settings.warmup_epochs * BATCHES)
    rising = min(step / warmup, 1.0) if warmup else 1.0
    if settings.schedule == "constant":
        return rising * settings.learning_rate
    if settings.schedule == "step":
        falls = step // (settings.step_epochs * BATCHES)
        return rising * settings.learning_rate * settings.step_factor**falls
    if step < warmup:
        return rising * settings.learning_rate
    done = min((step - warmup) / (settings.epochs * BATCHES - warmup), 1.0)
    return settings.learning_rate * (1 + math.cos(math.pi * done)) / 2


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
@pytest.mark.parametrize("warmup_epochs", [0, 0.5, 2])
def test_the_rate_of_each_step_is_the_one_by_hand(schedule, warmup_epochs):
    config = TrainConfig.from_settings(
        schedule=schedule,
        warmup_epochs=warmup_epochs,
        learning_rate=0.02,
        epochs=9,
        step_epochs=3,
        step_factor=0.1,
    )
    rate = build_schedule(config, BATCHES)
    steps = range(10 * BATCHES)
    found = [float(rate(keras.ops.convert_to_tensor(step, "int64"))) for step in steps]
    expected = [by_hand(config.optimizer, step) for step in steps]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-9)


def test_the_rate_of_the_papers():
    config = TrainConfig.from_settings(
        schedule="step", learning_rate=0.002, warmup_epochs=0, epochs=40
    )
    rate = build_schedule(config, BATCHES)
    of_epochs = [[float(rate(epoch * BATCHES + i)) for i in range(BATCHES)] for epoch in range(40)]
    for epoch, rates in enumerate(of_epochs):
        np.testing.assert_allclose(rates, 0.002 * 0.1 ** (epoch // 15), rtol=1e-5)


def test_a_schedule_with_warm_up_is_saved_and_read():
    config = TrainConfig.from_settings(schedule="step", warmup_epochs=2, step_epochs=1)
    rate = build_schedule(config, BATCHES)
    assert isinstance(rate, WarmUp)
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert isinstance(revived, WarmUp)
    assert revived.get_config() == rate.get_config()
    assert [float(revived(i)) for i in range(30)] == [float(rate(i)) for i in range(30)]
