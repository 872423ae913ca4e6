"""What every pretext task must do."""

import json

import keras
import numpy as np
import pytest
from keras import ops


@pytest.fixture
def check_task():
    """Function that puts a pretext task through what every one of them must do.

    Args of the function: task_class; arguments, a dict of its constructor arguments.
    """

    def check(task_class, arguments):
        task = task_class(**arguments)
        for name, value in arguments.items():
            assert getattr(task, name) == value, name
        serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(task)))
        assert serialized["registered_name"] == f"nfl_keras>{task_class.__name__}"
        revived = keras.saving.deserialize_keras_object(serialized)
        assert type(revived) is task_class
        assert revived.get_config() == task.get_config()
        images = np.random.default_rng(0).uniform(0, 255, (5, 7, 7, 3)).astype("float32")

        drawn = [np.asarray(task.draw_for(images, training=True)) for _ in range(3)]
        assert all(len(draws) == 5 for draws in drawn)
        assert not (np.all(drawn[0] == drawn[1]) and np.all(drawn[1] == drawn[2]))
        again = [np.asarray(revived.draw_for(images, training=True)) for _ in range(3)]
        np.testing.assert_array_equal(drawn, again)
        state = np.asarray(task.seed_generator.state)
        at_rest = [np.asarray(task.draw_for(images, training=False)) for _ in range(2)]
        np.testing.assert_array_equal(*at_rest)
        np.testing.assert_array_equal(task.seed_generator.state, state)

        views = np.asarray(task.render(images, drawn[0]))
        assert views.shape == images.shape
        assert views.min() >= 0
        assert views.max() <= 255
        for i in range(5):
            alone = task.render(images[i : i + 1], drawn[0][i : i + 1])
            np.testing.assert_allclose(views[i], alone[0], atol=1e-3)
        in_bytes = task.render(images.astype("uint8"), drawn[0])
        assert keras.backend.standardize_dtype(in_bytes.dtype) == "uint8"

        for policy, dtype in (("float32", "float32"), ("mixed_bfloat16", "bfloat16")):
            task = task_class(**arguments, dtype=policy)
            task.build((None, 6))
            assert task.trainable_weights
            features = ops.cast(np.random.default_rng(1).normal(size=(2, 5, 6)), dtype)
            values = task.values(features[0], features[1], drawn[0])
            assert values.shape == (5,)
            assert keras.backend.standardize_dtype(values.dtype) == "float32"
            assert np.all(np.isfinite(ops.convert_to_numpy(values)))
            symbolic = task(keras.KerasTensor((None, 6)))
            assert symbolic.shape == (None, *task(features[0]).shape[1:])

    return check
