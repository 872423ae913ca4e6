import types

import pytest

from nfl_keras.training.callbacks.stop_early import StopEarly


def stopped_after(maps, patience, from_epoch=0):
    """The epoch, from 1, after which a run with such mAPs ends; `None` for not measured."""
    saved = types.SimpleNamespace(best_epoch=None, best_map=-1.0)
    model = types.SimpleNamespace(stop_training=False)
    for epoch, found in enumerate(maps):
        logs = {"loss": 1.0}
        if found is not None:
            logs["map"] = found
            if found > saved.best_map:
                saved.best_epoch, saved.best_map = epoch + 1, found
        if epoch == from_epoch:
            callback = StopEarly(saved, patience)
            callback.set_model(model)
        if epoch >= from_epoch:
            callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            return epoch + 1
    return None


@pytest.mark.parametrize(
    ("maps", "patience", "expected"),
    [
        ([0.1, 0.2, 0.3, 0.4], 1, None),
        ([0.1, 0.3, 0.2, 0.4], 1, 3),
        ([0.1, 0.3, 0.2, 0.4, 0.1, 0.1], 2, 6),
        ([0.3, 0.3, 0.3], 2, 3),
        ([0.3, None, 0.2, None, 0.1, None], 3, 5),
        ([None, 0.2, None, 0.3, None, 0.2], 2, 6),
        ([None, None, None], 1, None),
    ],
)
def test_it_stops_after_so_many_epochs_without_a_better_map(maps, patience, expected):
    assert stopped_after(maps, patience) == expected


def test_a_run_that_resumes_stops_where_it_would_have():
    maps = [0.1, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert [stopped_after(maps, 3, from_epoch) for from_epoch in range(5)] == 5 * [5]
