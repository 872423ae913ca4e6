import dataclasses

import numpy as np
import pytest

from nfl_keras.data import Dataset as PublicDataset
from nfl_keras.data.dataset import Dataset
from nfl_keras.errors import UserError

COUNTS = {"zero-shot": ((2, 8), (2, 8))}


@pytest.fixture
def dataset(named_set):
    """Four classes of four photographs, with the counts that its zero-shot split must have."""
    return Dataset(named_set([4, 4, 4, 4]), "zero-shot", counts=COUNTS)


def test_it_is_the_public_one():
    assert PublicDataset is Dataset


def test_its_usual_protocol_unless_another_is_named(dataset):
    assert dataset.split("train").classes.tolist() == [0, 1]
    assert dataset.split("query").classes.tolist() == [2, 3]
    assert dataset.split("train", "fine-grained").classes.tolist() == [0, 1, 2, 3]
    assert dataset.split("all").ids.tolist() == dataset.whole.ids.tolist()


def test_photographs_per_class_are_those_of_the_fine_grained_protocol(dataset):
    dealt = dataclasses.replace(dataset, per_class=(1, 2, 1))
    sizes = [len(dealt.split(split, "fine-grained")) for split in ("train", "gallery", "query")]
    assert sizes == [4, 8, 4]
    assert len(dealt.split("train")) == 8


def test_the_seed_deals(dataset):
    zero, one, again = (
        dataset.split("train", "fine-grained", seed).ids.tolist() for seed in (0, 1, 0)
    )
    assert zero != one
    assert zero == again


def test_counts_are_held_to(dataset):
    assert len(dataset.split("query")) == 8
    fewer = dataclasses.replace(dataset, whole=dataset.whole.subset(range(15)))
    with pytest.raises(UserError, match=r"2 others \(8\) to test, but has .* 2 others \(7\)"):
        fewer.split("query")


def test_without_some_photographs(dataset):
    less = dataset.without({"photograph 3": "zero bytes", "photograph 9": "not an image"})
    kept = [i for i in range(16) if i not in (3, 9)]
    assert less.whole.ids.tolist() == [f"photograph {i}" for i in kept]
    assert less.whole.labels.tolist() == dataset.whole.labels[kept].tolist()
    assert [less.whole.read(i) for i in (2, 3, 13)] == [
        b"photograph 2",
        b"photograph 4",
        b"photograph 15",
    ]
    assert len(dataset.whole) == 16


def test_without_some_photographs_no_counts_are_held_to(dataset):
    less = dataset.without(["photograph 3", "photograph 9"])
    assert not less.counts
    assert (len(less.split("train")), len(less.split("query"))) == (7, 7)
    assert less.protocol == "zero-shot"


def test_every_protocol_says_what_was_left_out(dataset, named_set):
    words = "photographs left out that cannot be used: 2"
    less = dataset.without(["photograph 3", "photograph 9"])
    for split in ("train", "gallery", "query", "all"):
        assert less.split(split).description.endswith(f"; made up; {words}")
        assert less.split(split, "fine-grained").description.endswith(f"; made up; {words}")
    silent = Dataset(dataclasses.replace(named_set([4, 4]), description=""), "zero-shot")
    assert silent.without(["photograph 3", "photograph 4"]).whole.description == words


def test_a_class_of_which_nothing_is_left_is_dropped(dataset):
    less = dataset.without([f"photograph {i}" for i in range(4, 8)])
    assert less.whole.class_names == dataset.whole.class_names
    assert less.whole.labels.tolist() == [0] * 4 + [2] * 4 + [3] * 4
    assert less.whole.classes.tolist() == [0, 2, 3]


@pytest.mark.parametrize("ids", [(), {}, ["photograph 16"], {"of another dataset": "reason"}])
def test_without_nothing_it_is_the_same(dataset, ids):
    assert dataset.without(ids) is dataset


def test_its_own_split_is_kept(named_set):
    """As of Stanford Online Products: products train or test, and their number is published."""
    whole = dataclasses.replace(
        named_set([3, 2, 2, 3]), own_split=["train"] * 5 + ["test"] * 5, description=""
    )
    dataset = Dataset(whole, "zero-shot", counts={"zero-shot": ((2, 5), (2, 5))})
    less = dataset.without(["photograph 0", "photograph 5", "photograph 6"])
    assert less.whole.own_split.tolist() == ["train"] * 4 + ["test"] * 3
    train, query = less.split("train"), less.split("query")
    assert train.ids.tolist() == [f"photograph {i}" for i in (1, 2, 3, 4)]
    assert query.ids.tolist() == [f"photograph {i}" for i in (7, 8, 9)]
    assert query.description.startswith("zero-shot, the dataset's own split: 2 classes (4 photo")
    assert query.description.endswith("; photographs left out that cannot be used: 3")
    assert np.array_equal(less.split("gallery").ids, query.ids)
