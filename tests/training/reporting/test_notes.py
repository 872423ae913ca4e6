import itertools
import types

import pytest

from nfl_keras.training.config import TrainConfig
from nfl_keras.training.reporting.notes import (
    epoch_notes,
    photograph_notes,
    refit_notes,
    train_on_notes,
)

CASES = list(itertools.product(("last", "best"), (0, 3), ("test", "validation")))


def notes(last_epoch=7, **settings):
    """The notes of a run whose best epoch is 4, as one text."""
    config = TrainConfig.from_settings(epochs=7, **settings)
    final = types.SimpleNamespace(description="fine-grained, of tests")
    watched = final
    if config.evaluation.validation_classes and config.evaluation.evaluate_on == "test":
        watched = types.SimpleNamespace(description="zero-shot, of validation")
    splits = types.SimpleNamespace(watched=watched, final=final)
    best_epoch = 4 if config.evaluation.evaluate_every else None
    return " ".join(epoch_notes(config, splits, last_epoch, best_epoch))


@pytest.mark.parametrize(("final_epoch", "validation_classes", "evaluate_on"), CASES)
def test_a_choice_by_test_queries_and_no_other_is_no_test_result(
    final_epoch, validation_classes, evaluate_on
):
    text = notes(
        final_epoch=final_epoch, validation_classes=validation_classes, evaluate_on=evaluate_on
    )
    chosen_by_test = evaluate_on == "test" and not validation_classes
    assert ("no test result" in text) == chosen_by_test
    assert ("chosen by mAP on the test queries themselves" in text) == chosen_by_test


@pytest.mark.parametrize(("final_epoch", "validation_classes", "evaluate_on"), CASES)
def test_the_epoch_of_the_figures_is_named(final_epoch, validation_classes, evaluate_on):
    text = notes(
        final_epoch=final_epoch, validation_classes=validation_classes, evaluate_on=evaluate_on
    )
    if final_epoch == "best":
        assert "The figures are those of epoch 4 of 7, with 1 crop per photograph." in text
        assert "last epoch" not in text
    else:
        assert "The figures are those of the last epoch, 7, with 1 crop per photograph." in text
        assert "best.keras is epoch 4, chosen by mAP on" in text


@pytest.mark.parametrize("final_epoch", ["last", "best"])
def test_where_the_epoch_was_chosen(final_epoch):
    chosen = notes(final_epoch=final_epoch, validation_classes=3)
    assert "held-out validation classes, no test photograph among them" in chosen
    for validation_classes in (0, 3):
        both = notes(
            final_epoch=final_epoch,
            validation_classes=validation_classes,
            evaluate_on="validation",
        )
        assert "validation photographs that the figures are measured on" in both
        assert "no test photograph" not in both


@pytest.mark.parametrize(("final_epoch", "validation_classes", "evaluate_on"), CASES)
def test_curves_of_other_photographs_say_of_which(final_epoch, validation_classes, evaluate_on):
    text = notes(
        final_epoch=final_epoch, validation_classes=validation_classes, evaluate_on=evaluate_on
    )
    assert "The curves of measures are of one crop" in text
    other = validation_classes and evaluate_on == "test"
    assert ("other photographs than the figures: zero-shot, of validation." in text) == bool(other)


@pytest.mark.parametrize("validation_classes", [0, 3])
def test_epochs_that_were_not_measured_have_no_best(validation_classes):
    text = notes(evaluate_every=0, validation_classes=validation_classes, crops=3)
    assert text == "The figures are those of the last epoch, 7, with 3 crops per photograph."


@pytest.mark.parametrize("final_epoch", ["last", "best"])
def test_a_run_that_stopped_early_says_so(final_epoch):
    text = notes(last_epoch=6, early_stopping_epochs=2, final_epoch=final_epoch)
    assert ("last epoch, 6," if final_epoch == "last" else "epoch 4 of 6,") in text
    stopped = "stopped early, after 2 epochs without a better mAP, before epoch 7 of 7"
    assert stopped in text
    assert stopped not in notes(early_stopping_epochs=2, final_epoch=final_epoch)


def test_what_was_left_out_is_counted():
    assert photograph_notes(types.SimpleNamespace(num_skipped=0), {}) == []
    left_out = photograph_notes(types.SimpleNamespace(num_skipped=2), ())
    assert left_out == ["Queries left out since they have nothing to find: 2."]
    bad = {f"{i}.jpg": "zero bytes" for i in range(1234)}
    both = photograph_notes(types.SimpleNamespace(num_skipped=2), bad)
    assert len(both) == 2
    assert both[0].endswith("cannot be used: 1,234 (bad_images.json).")


def test_a_run_on_all_has_no_test():
    (note,) = train_on_notes(TrainConfig.from_settings(train_on="all"))
    assert note.startswith("No test figure follows")
    assert train_on_notes(TrainConfig()) == []


@pytest.mark.parametrize(
    ("train_on", "whole"), [("train", "the whole training split"), ("all", "all photographs")]
)
def test_a_refit_says_what_it_trained_on(train_on, whole):
    candidate = {"epochs": 3, "alpha": 1.0, "learning_rate": 0.1, "protocol": "made up"}
    choice = {"chosen": candidate, "candidates": [candidate], "failed": {}}
    config = TrainConfig.from_settings(train_on=train_on)
    (note,) = refit_notes(choice, config)
    assert note.endswith(f"Then it trained anew on {whole}.")
    (_, out) = refit_notes({**choice, "failed": {"10": "L_D is nan."}}, config)
    assert out == "Training failed at the learning rate 10: L_D is nan."


def test_an_epoch_of_a_run_on_all_is_not_chosen_by_a_test():
    text = notes(final_epoch="best", train_on="all")
    assert "chosen by mAP on the validation photographs that the figures are measured on" in text
    assert "test" not in text
