import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.data import ColorJitter
from nfl_keras.errors import UserError
from nfl_keras.layers import WhiteBalanceEmulation
from nfl_keras.training.build_recolor import build_recolor
from nfl_keras.training.config import TrainConfig


@pytest.fixture
def view():
    """A view in 0..255, of a size that is known only as it comes."""
    return np.random.default_rng(0).uniform(0, 255, (6, 6, 3)).astype(np.float32)


def recolored(recolor, view, seeds):
    change = tf.function(
        recolor, input_signature=[tf.TensorSpec((None, None, 3)), tf.TensorSpec((2,), tf.int64)]
    )
    return [change(view, np.array([0, seed])).numpy() for seed in seeds]


def test_none_leaves_colors():
    recolor, words = build_recolor(TrainConfig.from_settings(color="none"))
    assert recolor is None
    assert words == "colors of training views: as they are"


def test_jitter_is_the_color_jitter_of_the_defaults(view):
    recolor, words = build_recolor(TrainConfig.from_settings(color="jitter"))
    assert words == ColorJitter().describe()
    assert words.startswith("color jitter: brightness 0.2")
    expected = recolored(ColorJitter().recolor, view, range(4))
    got = recolored(recolor, view, range(4))
    np.testing.assert_array_equal(got, expected)
    assert all(np.abs(one - view).max() > 1 for one in got)


def test_white_balance_says_which_emulation_runs(view):
    recolor, words = build_recolor(TrainConfig.from_settings(color="white-balance"))
    assert words.startswith("white balance: ")
    assert "Planckian locus (no published parameters given)" in words
    got = recolored(recolor, view, range(16))
    expected = recolored(WhiteBalanceEmulation().recolor, view, range(16))
    np.testing.assert_array_equal(got, expected)
    changed = [np.abs(one - view).max() > 0.5 for one in got]
    assert any(changed)
    assert not all(changed)


def test_white_balance_parameters_that_cannot_be_used_are_named(tmp_path):
    config = TrainConfig.from_settings(
        color="white-balance", white_balance_parameters=str(tmp_path / "gone")
    )
    with pytest.raises(UserError, match="gone") as refused:
        build_recolor(config)
    assert "\n" not in str(refused.value)
