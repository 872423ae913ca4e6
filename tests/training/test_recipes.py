"""Runs of recipes other than the default, by the command."""

import json

import pytest

import nfl_keras as nfl
from nfl_keras import evaluate


@pytest.fixture(scope="module")
def assisted(shared):
    """A run of noise-assisted learning with everything that it can have."""
    return shared(
        recipe="noise-assisted", window=4, pretext="rotation", lambda_softmax=1.0, epochs=3
    )


def test_each_term_is_reported(assisted):
    history = json.loads((assisted.path / "history.json").read_text())
    terms = {"L_inter", "L_intra", "L_pretext", "L_softmax", "accuracy", "loss"}
    assert terms < set(history)
    parts = [sum(history[name][e] for name in terms if name.startswith("L_")) for e in range(3)]
    assert history["loss"] == pytest.approx(parts, rel=1e-5)
    assert all(0 <= share <= 1 for share in history["accuracy"])
    assert "L_pretext" in assisted.printed


def test_accuracy_and_diversity_are_measured(assisted):
    metrics = json.loads((assisted.path / "metrics.json").read_text())
    assert 0 <= metrics["accuracy"] <= 1
    assert metrics["diversity"]["num_classes"] == 6
    assert -1 <= metrics["diversity"]["same_class_cosine"] <= 1
    report = (assisted.path / "report.html").read_text()
    assert f"The softmax head names the class of {metrics['accuracy']:.1%} of queries." in report
    assert f"cosine of {metrics['diversity']['same_class_cosine']:.3f}" in report


def test_the_run_is_evaluated_again(assisted, capsys):
    evaluate.main([str(assisted.path)])
    metrics = json.loads((assisted.path / "metrics.json").read_text())
    assert f"{metrics['trained']['map']:.4f}" in capsys.readouterr().out


def test_classification_is_a_recipe_whose_accuracy_is_measured(shared):
    run = shared(recipe="classification", pooling="gem", epochs=1)
    history = json.loads((run.path / "history.json").read_text())
    assert history["L_softmax"] == pytest.approx(history["loss"], rel=1e-5)
    assert 0 <= json.loads((run.path / "metrics.json").read_text())["accuracy"] <= 1
    assert nfl.load(run.path).neck
