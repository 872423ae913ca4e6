import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.pretext import (
    TASKS,
    ClassificationTask,
    Exemplar,
    Jigsaw,
    PretextTask,
    Rotation,
    make_pretext_task,
)


@keras.saving.register_keras_serializable(package="nfl_keras")
class Brightness(ClassificationTask):
    """Darker by as many steps as were drawn."""

    def __init__(self, num_classes=5, **kwargs):
        super().__init__(num_classes, **kwargs)

    def render(self, images, draws):
        return images - draws[:, None, None, None]


def test_a_classification_of_what_was_drawn_needs_render_alone():
    task = Brightness(seed=0)
    task.build((None, 3))
    rows = np.zeros((4000, 1), "float32")
    draws = np.asarray(task.draw(rows, seed=1))
    assert draws.dtype == np.int32
    counts = np.bincount(draws, minlength=5)
    assert len(counts) == 5
    assert np.sum((counts - 800) ** 2) / 800 < 4 + 4 * np.sqrt(8)

    features = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    kernel, bias = task.get_weights()
    logits = features.astype("float64") @ kernel + bias
    expected = [
        np.log(np.exp(row).sum()) - row[drawn] for row, drawn in zip(logits, draws, strict=False)
    ]
    values = ops.convert_to_numpy(task.values(features, None, draws[:6]))
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_a_task_of_ones_own_keeps_every_promise(check_task):
    class Checked(Brightness):
        def render(self, images, draws):
            return images // (1 + draws[:, None, None, None].astype(images.dtype))

    keras.saving.register_keras_serializable(package="nfl_keras")(Checked)
    check_task(Checked, {"num_classes": 3, "seed": 4})


def test_names_stand_for_tasks():
    made = {name: make_pretext_task(name, seed=5) for name in ("rotation", "exemplar", "jigsaw")}
    assert {name: type(task) for name, task in made.items()} == TASKS
    assert list(TASKS.values()) == [Rotation, Exemplar, Jigsaw]
    assert all(task.seed == 5 for task in made.values())
    own = Brightness(seed=1)
    assert make_pretext_task(own, seed=5) is own


@pytest.mark.parametrize("name", ["rotations", None, 3])
def test_refuses_a_name_that_stands_for_no_task(name):
    with pytest.raises(UserError, match="one of rotation, exemplar, jigsaw, or give an object"):
        make_pretext_task(name)


def test_refuses_a_single_class():
    with pytest.raises(UserError, match="at least 2 classes, not 1"):
        Brightness(1)


def test_a_task_has_to_say_what_it_draws_and_asks():
    task = PretextTask()
    for method, arguments in (("draw", 2), ("render", 2), ("values", 3)):
        with pytest.raises(NotImplementedError, match=f"PretextTask must define {method}"):
            getattr(task, method)(*[None] * arguments)
