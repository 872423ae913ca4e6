import dataclasses

import numpy as np
import pytest

from nfl_keras.data import Dataset, ImageSet
from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.splits import Splits


@pytest.fixture
def dataset():
    """Eight classes of sixteen photographs, usually split by classes."""
    labels = np.repeat(np.arange(8), 16)
    ids = [f"{label}/{i}" for i, label in enumerate(labels)]
    names = [f"class {number}" for number in range(8)]
    return Dataset(ImageSet(ids, labels, names, lambda i: ids[i].encode()), "zero-shot")


def splits_of(dataset, **settings):
    return Splits.of(dataset, TrainConfig.from_settings(**settings))


def classes(image_set):
    return set(image_set.classes.tolist())


@pytest.mark.parametrize("protocol", ["zero-shot", "fine-grained"])
def test_epochs_are_measured_on_the_test_queries_unless_told(dataset, protocol):
    splits = splits_of(dataset, protocol=protocol, split_seeds=[3])
    assert splits.watched is splits.final
    assert splits.train.ids.tolist() == dataset.split("train", protocol, 3).ids.tolist()
    assert splits.final.query.ids.tolist() == dataset.split("query", protocol, 3).ids.tolist()
    assert splits.final.gallery is splits.final.query
    assert set(splits.train.ids).isdisjoint(splits.final.query.ids)
    assert splits.final.description == dataset.split("query", protocol, 3).description


def test_a_gallery_of_its_own_is_searched(dataset):
    dataset = Dataset(dataset.whole, "fine-grained", per_class=(8, 6, 2))
    final = splits_of(dataset).final
    assert (len(final.query), len(final.gallery)) == (16, 48)
    assert set(final.query.ids).isdisjoint(final.gallery.ids)


@pytest.mark.parametrize("protocol", ["zero-shot", "fine-grained"])
def test_validation_classes_are_neither_trained_on_nor_reported(dataset, protocol):
    plain = splits_of(dataset, protocol=protocol)
    splits = splits_of(dataset, protocol=protocol, validation_classes=2)
    watched = splits.watched.query
    assert splits.watched is not splits.final
    assert splits.watched.gallery is watched
    assert len(classes(watched)) == 2
    assert classes(watched).isdisjoint(classes(splits.train))
    assert classes(watched) | classes(splits.train) == classes(plain.train)
    assert sorted([*watched.ids, *splits.train.ids]) == sorted(plain.train.ids)
    assert set(watched.ids).isdisjoint(splits.final.query.ids)
    if protocol == "zero-shot":
        assert classes(watched).isdisjoint(classes(splits.final.query))
    assert splits.final.query.ids.tolist() == plain.final.query.ids.tolist()
    assert "2 of" in splits.watched.description
    assert "validation" in splits.watched.description
    assert "validation" not in splits.final.description


def test_validation_classes_are_drawn_by_the_split_seed(dataset):
    drawn = {
        seed: classes(splits_of(dataset, validation_classes=2, split_seeds=[seed]).watched.query)
        for seed in range(8)
    }
    assert len(set(map(frozenset, drawn.values()))) > 1
    again = splits_of(dataset, validation_classes=2, split_seeds=[5])
    assert classes(again.watched.query) == drawn[5]


@pytest.mark.parametrize("protocol", ["zero-shot", "fine-grained"])
@pytest.mark.parametrize("num_classes", [0, 2])
def test_evaluated_on_validation_the_test_photographs_are_left_alone(
    dataset, protocol, num_classes
):
    splits = splits_of(
        dataset, protocol=protocol, validation_classes=num_classes, evaluate_on="validation"
    )
    assert splits.watched is splits.final
    held_out = splits.final.query
    assert splits.final.gallery is held_out
    train = dataset.split("train", protocol)
    assert sorted([*held_out.ids, *splits.train.ids]) == sorted(train.ids)
    assert "validation" in splits.final.description
    if num_classes:
        assert len(classes(held_out)) == 2
        assert classes(held_out).isdisjoint(classes(splits.train))
    elif protocol == "zero-shot":
        assert len(classes(held_out)) == 1  # a quarter of four
        assert classes(held_out).isdisjoint(classes(splits.train))
    else:
        assert classes(held_out) == classes(splits.train) == classes(dataset.whole)
        assert len(held_out) == 16  # a quarter of eight photographs of each class


def test_under_the_usual_protocol_validation_is_of_that_protocol(dataset):
    final = splits_of(dataset, evaluate_on="validation").final
    assert final.description.startswith("zero-shot, validation: 1 of 4 training classes")


@pytest.mark.parametrize("num_classes", [4, 40])
def test_more_validation_classes_than_can_be_spared_are_refused(dataset, num_classes):
    with pytest.raises(UserError, match=f"{num_classes} of 4 training classes .* nothing to train"):
        splits_of(dataset, validation_classes=num_classes)


def test_validation_classes_in_which_nothing_is_to_be_found_are_refused(dataset):
    # Of each training class one photograph is left, and all of the test classes.
    few = Dataset(dataset.whole.subset([0, 16, 32, 48, *range(64, 128)]), "zero-shot")
    with pytest.raises(UserError, match=r"nothing to find, .*validation: 2 of 4"):
        splits_of(few, validation_classes=2)


@pytest.mark.parametrize("shared", [False, True])
def test_validation_photographs_of_the_datasets_own_split_are_not_trained_on(dataset, shared):
    labels = dataset.whole.labels
    place = np.arange(len(labels)) % 16 if shared else 2 * labels
    own = np.select([place < 8, place < 12], ["train", "validation"], "test")
    whole = dataclasses.replace(dataset.whole, own_split=own)
    dataset = Dataset(whole, "fine-grained" if shared else "zero-shot")
    splits = splits_of(dataset)
    assert splits.train.own_split.tolist() == 64 * ["train"]
    assert splits.final.query.own_split.tolist() == 32 * ["test"]
    assert ", 32 others to validate on" in splits.final.description
    validated = splits_of(dataset, evaluate_on="validation")
    assert validated.train.ids.tolist() == splits.train.ids.tolist()
    assert validated.final.query.own_split.tolist() == 32 * ["validation"]
    assert validated.final.gallery is validated.final.query


def test_under_another_protocol_than_its_own_split_validation_is_held_out(dataset):
    labels = dataset.whole.labels
    own = np.select([labels < 4, labels < 6], ["train", "validation"], "test")
    whole = dataclasses.replace(dataset.whole, own_split=own)
    final = splits_of(
        Dataset(whole, "zero-shot"), protocol="fine-grained", evaluate_on="validation"
    ).final
    assert "25% of each class' training photographs held out" in final.description
    with pytest.raises(UserError, match="there is no validation photograph"):
        Dataset(whole, "zero-shot").split("validation", "fine-grained")


@pytest.mark.parametrize("protocol", [None, "zero-shot", "fine-grained"])
@pytest.mark.parametrize("evaluate_on", ["test", "validation"])
def test_a_run_trains_on_all_but_pairs(dataset, protocol, evaluate_on):
    splits = splits_of(
        dataset, train_on="all", protocol=protocol, evaluate_on=evaluate_on, blend="auto"
    )
    assert splits.watched is splits.final
    assert splits.final.gallery is splits.final.query
    held_out = splits.final.query
    assert sorted([*held_out.ids, *splits.train.ids]) == sorted(dataset.whole.ids)
    assert classes(splits.train) == set(range(8))
    # A twentieth of 128 photographs are 3 pairs.
    assert np.bincount(held_out.labels).tolist().count(2) == len(classes(held_out)) == 3
    assert splits.final.description == (
        "trained on all photographs: what was held out to watch is no test; fine-grained, "
        "validation: 2 photographs of each of 3 classes held out (6 photographs), each a query "
        "against the rest; all 128 photographs of 8 classes"
    )


def test_a_run_trains_on_all_but_the_validation_classes(dataset):
    splits = splits_of(dataset, train_on="all", validation_classes=2)
    assert splits.watched is splits.final
    held_out = classes(splits.final.query)
    assert len(held_out) == 2
    assert classes(splits.train) == set(range(8)) - held_out
    assert len(splits.train) == 6 * 16
    assert "no test; zero-shot, validation: 2 of 8" in splits.final.description


def test_a_run_trains_on_all_parts_of_the_datasets_own_split(dataset):
    labels = dataset.whole.labels
    own = np.select([labels < 4, labels < 6], ["train", "validation"], "test")
    whole = dataclasses.replace(dataset.whole, own_split=own)
    train = splits_of(Dataset(whole, "zero-shot"), train_on="all").train
    assert set(train.own_split) == {"train", "validation", "test"}
    assert classes(train) == set(range(8))


def test_what_is_watched_is_drawn_by_the_split_seed(dataset):
    drawn = {
        tuple(splits_of(dataset, train_on="all", split_seeds=[seed]).final.query.ids)
        for seed in (0, 0, 1, 2)
    }
    assert len(drawn) == 3


def test_a_class_keeps_the_photographs_of_its_part_of_a_batch(dataset):
    settings = {"train_on": "all", "images_per_class": 16}
    with pytest.raises(UserError, match="two classes of 18 or more") as refused:
        splits_of(dataset, **settings)
    assert "\n" not in str(refused.value)
    assert len(splits_of(dataset, **settings, small_classes="fill").final.query) == 6


def test_all_has_no_several_splits():
    with pytest.raises(UserError, match=r"train_on all has no test .* such as \[0\]"):
        TrainConfig.from_settings(train_on="all", split_seeds=[0, 1])
