import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.models.pretext import Rotation

IMAGES = np.random.default_rng(0).uniform(0, 255, (8, 5, 5, 3)).astype("float32")
TURNS = np.array([0, 1, 2, 3, 3, 2, 1, 0], "int32")


def test_keeps_every_promise_of_a_task(check_task):
    check_task(Rotation, {"seed": 3})
    assert Rotation().num_classes == 4


def test_turns_by_quarters():
    expected = [np.rot90(image, turns) for image, turns in zip(IMAGES, TURNS, strict=True)]
    np.testing.assert_array_equal(Rotation().render(IMAGES, TURNS), expected)


@pytest.mark.tensorflow("sizes are always known")
def test_turns_images_whose_size_is_known_only_as_they_come():
    import tensorflow as tf

    signature = [tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([None], "int32")]
    render = tf.function(Rotation().render, signature)
    expected = [np.rot90(image, turns) for image, turns in zip(IMAGES, TURNS, strict=True)]
    np.testing.assert_array_equal(render(IMAGES, TURNS), expected)


def test_refuses_images_that_are_not_square():
    with pytest.raises(UserError, match="needs square images, but these have 5 x 4 pixels"):
        Rotation().render(IMAGES[:, :, :4], TURNS)
