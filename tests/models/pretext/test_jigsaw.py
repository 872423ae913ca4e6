import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.models.pretext import Jigsaw
from nfl_keras.models.pretext.permutations import distant_permutations

FEW = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 1, 2, 5, 4, 8, 6, 7]]


def images(height, width, count=6):
    shape = (count, height, width, 2)
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def moved_by_loops(image, order):
    """The tiles laid one by one, and what is left over beside them filled pixel by pixel."""
    high, wide = image.shape[0] // 3, image.shape[1] // 3
    result = np.full_like(image, np.nan)
    for place, tile in enumerate(order):
        to_y, to_x = place // 3 * high, place % 3 * wide
        y, x = tile // 3 * high, tile % 3 * wide
        result[to_y : to_y + high, to_x : to_x + wide] = image[y : y + high, x : x + wide]
    for y, x in np.ndindex(image.shape[:2]):
        result[y, x] = result[min(y, 3 * high - 1), min(x, 3 * wide - 1)]
    return result


def test_keeps_every_promise_of_a_task(check_task):
    check_task(Jigsaw, {"num_permutations": 12, "seed": 3})
    check_task(Jigsaw, {"permutations": FEW, "seed": 3})


@pytest.mark.parametrize("size", [(6, 6), (9, 12), (7, 8), (3, 5), (11, 4)])
def test_tiles_go_where_the_permutation_says(size):
    task, pixels = Jigsaw(permutations=FEW), images(*size)
    draws = np.array([0, 1, 2, 2, 1, 0], "int32")
    expected = [moved_by_loops(image, FEW[i]) for image, i in zip(pixels, draws, strict=True)]
    np.testing.assert_array_equal(task.render(pixels, draws), expected)


@pytest.mark.tensorflow("sizes are always known")
@pytest.mark.parametrize("size", [(6, 6), (7, 8)])
def test_tiles_of_images_whose_size_is_known_only_as_they_come(size):
    import tensorflow as tf

    task, pixels, draws = Jigsaw(permutations=FEW), images(*size), np.arange(6) % 3
    signature = [tf.TensorSpec([None, None, None, 2]), tf.TensorSpec([None], "int32")]
    found = tf.function(task.render, signature)(pixels, tf.cast(draws, "int32"))
    expected = [moved_by_loops(image, FEW[i]) for image, i in zip(pixels, draws, strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_the_first_class_of_the_default_set_is_the_image_itself():
    pixels = images(6, 6)
    np.testing.assert_array_equal(Jigsaw().render(pixels, np.zeros(6, "int32")), pixels)


def test_nothing_left_over_tells_where_it_came_from():
    pixels = images(8, 8)
    changed = pixels.copy()
    changed[:, 6:], changed[:, :, 6:] = 0, 0
    draws = np.array([0, 1, 2, 2, 1, 0], "int32")
    task = Jigsaw(permutations=FEW)
    np.testing.assert_array_equal(task.render(pixels, draws), task.render(changed, draws))


def test_a_set_is_made_once_and_kept():
    task = Jigsaw(num_permutations=20)
    assert [tuple(order) for order in task.permutations] == list(distant_permutations(20, 9))
    config = task.get_config()
    # As a version that chooses otherwise would have saved it.
    config["permutations"] = config["permutations"][::-1]
    revived = Jigsaw.from_config(config)
    assert revived.permutations == task.permutations[::-1]
    assert revived.num_classes == revived.num_permutations == 20


def test_the_head_has_an_output_for_each_permutation():
    task = Jigsaw(num_permutations=20)
    task.build((None, 6))
    assert task.head.kernel.shape == (6, 20)
    assert len(set(np.asarray(task.draw(np.zeros((1000, 1)), seed=0)))) == 20
    assert Jigsaw().num_classes == 100


@pytest.mark.parametrize("count", [1, 362_881])
def test_refuses_a_number_of_permutations_that_cannot_be(count):
    with pytest.raises(UserError, match="num_permutations must be 2 to 362,880"):
        Jigsaw(count)


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7, 7], list(range(1, 10))])
def test_refuses_what_is_no_permutation(order):
    with pytest.raises(UserError, match=r"holds each of 0 \.\. 8 once"):
        Jigsaw(permutations=[FEW[0], order])


def test_refuses_images_without_nine_tiles():
    with pytest.raises(UserError, match="2 x 6 pixels has no 3 x 3 tiles"):
        Jigsaw(permutations=FEW).render(images(2, 6), np.zeros(6, "int32"))
