import pathlib

import pytest
import tensorflow as tf

from nfl_keras.data import balanced_batches
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.errors import UserError
from nfl_keras.training.open_photographs import open_photographs


@pytest.mark.parametrize("gone", [False, True])
def test_a_photograph_damaged_in_mid_run_is_blamed(config_of, photographs, truncate, gone):
    dataset, _ = open_photographs(config_of())
    batches = balanced_batches(dataset.whole, 6, 8, image_size=16)
    with explain_photograph_errors(dataset.whole):
        assert len(list(batches)) == 1
    damage = pathlib.Path.unlink if gone else truncate
    damage(photographs / "class 2" / "5.jpg")
    with pytest.raises(UserError, match=r"1 of 48 .*class 2/5\.jpg"):
        exhaust(batches, dataset.whole)


def exhaust(batches, image_set):
    with explain_photograph_errors(image_set):
        list(batches)


def test_other_errors_of_tensorflow_stay_what_they_are(config_of):
    dataset, _ = open_photographs(config_of())
    with pytest.raises(tf.errors.InvalidArgumentError), explain_photograph_errors(dataset.whole):
        tf.reshape(tf.zeros(3), (2, 2))


def test_errors_of_the_program_stay_what_they_are(config_of, two_bad):
    dataset, _ = open_photographs(config_of(check_images=False))
    with pytest.raises(ZeroDivisionError), explain_photograph_errors(dataset.whole):
        1 / 0  # noqa: B018


def test_where_nothing_fails_nothing_is_said(config_of, two_bad):
    dataset, _ = open_photographs(config_of(check_images=False))
    with explain_photograph_errors(dataset.whole):
        pass
