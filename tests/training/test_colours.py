import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.data import ColourJitter
from nfl_keras.errors import UserError
from nfl_keras.layers import WhiteBalanceEmulation
from nfl_keras.training.colours import build_recolour
from nfl_keras.training.config import TrainConfig


@pytest.fixture
def view():
    """A view in 0..255, of a size that is known only as it comes."""
    return np.random.default_rng(0).uniform(0, 255, (6, 6, 3)).astype(np.float32)


def recoloured(recolour, view, seeds):
    change = tf.function(
        recolour, input_signature=[tf.TensorSpec((None, None, 3)), tf.TensorSpec((2,), tf.int64)]
    )
    return [change(view, np.array([0, seed])).numpy() for seed in seeds]


def test_none_leaves_colours():
    recolour, words = build_recolour(TrainConfig(colour="none"))
    assert recolour is None
    assert words == "colours of training views: as they are"


def test_jitter_is_the_colour_jitter_of_the_defaults(view):
    recolour, words = build_recolour(TrainConfig(colour="jitter"))
    assert words == ColourJitter().describe()
    assert words.startswith("colour jitter: brightness 0.2")
    expected = recoloured(ColourJitter().recolour, view, range(4))
    got = recoloured(recolour, view, range(4))
    np.testing.assert_array_equal(got, expected)
    assert all(np.abs(one - view).max() > 1 for one in got)


def test_white_balance_says_which_emulation_runs(view):
    recolour, words = build_recolour(TrainConfig(colour="white-balance"))
    assert words.startswith("white balance: ")
    assert "Planckian locus (no published parameters given)" in words
    got = recoloured(recolour, view, range(16))
    expected = recoloured(WhiteBalanceEmulation().recolour, view, range(16))
    np.testing.assert_array_equal(got, expected)
    changed = [np.abs(one - view).max() > 0.5 for one in got]
    assert any(changed)
    assert not all(changed)


def test_white_balance_parameters_that_cannot_be_used_are_named(tmp_path):
    config = TrainConfig(colour="white-balance", white_balance_parameters=str(tmp_path / "gone"))
    with pytest.raises(UserError, match="gone") as refused:
        build_recolour(config)
    assert "\n" not in str(refused.value)
