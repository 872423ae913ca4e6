import typing

import keras
import numpy as np
import pytest

from nfl_keras import losses
from nfl_keras.errors import UserError
from nfl_keras.models import PairLossModel
from nfl_keras.models.pair_loss_model import PAIR_LOSSES, PairLossName


def test_every_name_has_a_loss():
    assert set(PAIR_LOSSES) == set(typing.get_args(PairLossName))


@pytest.mark.parametrize("name", PAIR_LOSSES)
def test_fits_and_reports_the_loss_by_its_name(make_embedder, images, labels, name):
    model = PairLossModel(make_embedder(), name)
    model.compile(keras.optimizers.SGD(0.01))
    before = model.get_weights()
    expected = PAIR_LOSSES[name]()(labels, model(images, training=True))
    history = model.fit(images, labels, batch_size=12, shuffle=False, verbose=0).history
    assert set(history) == {"loss", name}
    assert history["loss"] == history[name] == pytest.approx([float(expected)], rel=1e-4)
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_settings_reach_the_loss(make_embedder, images, labels):
    model = PairLossModel(make_embedder(), "triplet", margin=0.7, mining="hard")
    model.compile("sgd")
    expected = losses.TripletLoss(0.7, "hard")(labels, model(images))
    found = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(float(expected), rel=1e-4)


def test_a_loss_of_ones_own_is_saved_with_its_settings(make_embedder, images, labels, tmp_path):
    loss = losses.MultiSimilarityLoss(alpha=1.0, epsilon=None, name="mine")
    model = PairLossModel(make_embedder(), loss)
    model.compile("sgd")
    assert set(model.fit(images, labels, verbose=0).history) == {"loss", "mine"}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.pair_loss.get_config() == loss.get_config()
    np.testing.assert_allclose(loaded.predict(images), model.predict(images), rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"pair_loss": "softmax"}, "no pair_loss 'softmax'; choose one of contrastive, triplet"),
        ({"pair_loss": "n-pairs", "margin": 0.1}, "margin is no setting .* takes temperature;"),
        ({"pair_loss": "contrastive", "margin": 0.1}, "takes none of margin, temperature, mining"),
        ({"margin": -1.0}, "margin must be above 0"),
        ({"pair_loss": losses.TripletLoss(), "margin": 0.1}, "margin must be set in the pair_loss"),
    ],
)
def test_refuses_a_loss_or_a_setting_that_there_is_not(make_embedder, settings, reason):
    with pytest.raises(UserError, match=reason):
        PairLossModel(make_embedder(), **settings)
    if isinstance(settings.get("pair_loss", ""), str):
        checked = {"pair_loss": "triplet", "margin": None, "temperature": None, "mining": None}
        with pytest.raises(UserError, match=reason):
            PairLossModel.check_settings(**{**checked, **settings})
