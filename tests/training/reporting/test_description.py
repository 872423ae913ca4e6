import dataclasses

import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.reporting.description import describe
from nfl_keras.training.run_folder import STAGES, RunFolder

REPORT = RetrievalReport({1: 0.5}, 0.25, {1: 0.4}, {1: 0.3}, {1: 0.2}, {0: 0.1}, 4, 1, 5, "made up")


@pytest.fixture
def describe_run(tmp_path):
    def of_run(checkpoint="last", bad=(), **settings):
        config = TrainConfig.from_settings(**settings)
        folder = RunFolder.create(tmp_path / "run", config, bad)
        folder.write_json("metrics.json", dict.fromkeys(STAGES, dataclasses.asdict(REPORT)))
        return describe(folder, config, checkpoint)

    return of_run


def test_what_was_measured_is_told_with_how_it_was_measured(describe_run):
    described = describe_run(crops=3, dataset="roses", bad={"a.jpg": "empty", "b.jpg": "empty"})
    assert described["metrics"] == {
        "evaluated_on": "test",
        "crops": 3,
        "recall_at": {"1": 0.5},
        "map": 0.25,
        "map_at": {"1": 0.4},
        "map_at_hits": {"1": 0.3},
        "precision_at": {"1": 0.2},
        "num_queries": 4,
        "num_skipped": 1,
        "num_gallery": 5,
    }
    assert described["protocol"] == "made up"
    assert described["data"] == {"dataset": "roses", "photographs_left_out": 2}
    assert described["config"]["evaluation"]["crops"] == 3


@pytest.mark.parametrize("final_epoch", ["last", "best"])
def test_a_checkpoint_that_was_not_measured_has_no_metrics(describe_run, final_epoch):
    other = {"last": "best", "best": "last"}[final_epoch]
    assert describe_run(other, final_epoch=final_epoch)["metrics"] is None


def test_the_license_is_known_of_random_weights_alone(describe_run, tmp_path):
    assert "random" in describe_run()["weights_license"]
    (tmp_path / "run").rename(tmp_path / "first")
    assert "weights_license" not in describe_run(backbone="resnet_18_imagenet")


def test_a_run_without_results_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path / "run", TrainConfig())
    with pytest.raises(UserError, match=r"metrics\.json"):
        describe(folder, TrainConfig(), "last")
