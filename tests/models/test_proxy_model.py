import typing

import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras import losses
from nfl_keras.errors import UserError
from nfl_keras.models import ProxyModel
from nfl_keras.models.proxy_model import PROXY_LOSSES, ProxyLossName
from nfl_keras.optimizers import GroupedSGD

SETTINGS = {
    "norm-softmax": {"temperature": 0.3},
    "proxy-anchor": {"margin": 0.2, "scale": 4.0},
    "soft-triple": {"margin": 0.2, "scale": 4.0, "temperature": 0.3, "proxies_per_class": 2},
}


def array(tensor):
    return ops.convert_to_numpy(tensor)


def test_every_name_has_a_loss():
    assert list(PROXY_LOSSES) == list(typing.get_args(ProxyLossName)) == list(SETTINGS)


@pytest.mark.parametrize("name", PROXY_LOSSES)
def test_fits_by_the_loss_of_its_name(make_embedder, images, labels, name):
    """Also with labels of the dataset, and beside the coding rate."""
    model = ProxyModel(
        make_embedder(), 3, name, **SETTINGS[name], anti_collapse=0.1, class_labels=[2, 5, 90]
    )
    model.compile(keras.optimizers.SGD(0.01))
    proxies = array(model.unit_proxies())
    assert proxies.shape == ((3, 2, 4) if name == "soft-triple" else (3, 4))
    np.testing.assert_allclose(np.linalg.norm(proxies, axis=-1), 1, rtol=1e-5)
    settings = {k: v for k, v in SETTINGS[name].items() if k != "proxies_per_class"}
    values = PROXY_LOSSES[name](model(images, training=True), labels, proxies, **settings)
    before = model.get_weights()
    numbers = np.array([2, 5, 90])[labels]
    history = model.fit(images, numbers, batch_size=12, shuffle=False, verbose=0).history
    assert history[name] == pytest.approx([array(values).mean()], rel=1e-3)
    rate = float(losses.anti_collapse(proxies))
    assert history["anti_collapse"] == pytest.approx([rate], rel=1e-4)
    assert history["loss"] == pytest.approx([history[name][0] + 0.1 * rate], rel=1e-4)
    changed = [np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(changed) > len(changed) // 2
    assert np.any(array(model.unit_proxies()) != proxies)


def test_defaults_are_those_of_the_losses(make_embedder, images, labels):
    shapes = [array(ProxyModel(make_embedder(), 3, n).unit_proxies()).shape for n in PROXY_LOSSES]
    assert shapes == [(3, 4), (3, 4), (3, 10, 4)]
    model = ProxyModel(make_embedder(), 3)
    model.compile("sgd")
    values = losses.proxy_anchor(model(images), labels, model.unit_proxies())
    found = model.evaluate(images, labels, batch_size=12, verbose=0, return_dict=True)
    assert found == pytest.approx(dict.fromkeys(found, array(values).mean()), rel=1e-4)
    assert set(found) == {"loss", "proxy-anchor"}


def test_proxies_learn_at_their_own_rate(make_embedder, images, labels):
    moved = []
    for rate in (1.0, 50.0):
        keras.utils.set_random_seed(0)
        model = ProxyModel(make_embedder(), 3, proxy_rate=rate, seed=0)
        factors = model.rate_factors(backbone_rate=0.5)
        in_backbone = len(model.embedder.backbone.trainable_weights)
        assert sorted(factors) == sorted([0.5] * in_backbone + [1.0] * 2 + [rate])
        model.compile(GroupedSGD(1e-3, rate_factors=factors))
        before = [array(weight) for weight in model.trainable_weights]
        model.train_on_batch(images, labels)
        pairs = zip(model.trainable_weights, before, strict=True)
        moved.append([array(weight) - value for weight, value in pairs])
    for slow, fast, factor in zip(*moved, factors, strict=True):
        ratio = 50.0 if factor == 50.0 else 1.0
        np.testing.assert_allclose(fast, ratio * slow, rtol=2e-2, atol=2e-6)


def test_is_saved_with_its_proxies_and_settings(make_embedder, images, labels, tmp_path):
    model = ProxyModel(make_embedder(), 3, "soft-triple", proxies_per_class=2, seed=1)
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config()["proxies_per_class"] == 2
    np.testing.assert_array_equal(array(loaded.unit_proxies()), array(model.unit_proxies()))
    expected = model.evaluate(images, labels, batch_size=12, verbose=0)
    assert loaded.evaluate(images, labels, batch_size=12, verbose=0) == pytest.approx(expected)


def test_labels_of_no_class_are_refused(make_embedder, images, labels):
    model = ProxyModel(make_embedder(), 3)
    model.compile("sgd")
    with pytest.raises(UserError, match="3 is the label of no class"):
        model.fit(images, labels + 1, verbose=0)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"proxy_loss": "triplet"}, "no proxy_loss 'triplet'; choose one of norm-softmax, proxy-a"),
        ({"temperature": 0.1}, "temperature is no setting .* takes margin and scale;"),
        ({"scale": -1.0}, "scale above 0"),
        ({"proxies_per_class": 2}, "proxies_per_class must be 1 or more, and 1 for losses other"),
        ({"proxy_loss": "soft-triple", "proxies_per_class": 0}, "proxies_per_class must be"),
        ({"proxy_rate": 0.0}, "proxy_rate must be above 0"),
        ({"anti_collapse": -0.5}, "anti_collapse must be 0 or more"),
    ],
)
def test_refuses_a_loss_or_a_setting_that_there_is_not(make_embedder, settings, reason):
    with pytest.raises(UserError, match=reason):
        ProxyModel(make_embedder(), 3, **settings)
