import dataclasses

import pytest

from nfl_keras.data.protocol import own_protocol

SHARED = ["train", "test", "test", "train", "test"]
DISJOINT = ["test", "test", "train", "train", "train"]
CATALOGUE = ["query", "gallery", "train", "train", "train"]


def own_set(named_set, sizes, own_split):
    return dataclasses.replace(named_set(sizes), own_split=own_split, description="")


@pytest.mark.parametrize(
    ("own_split", "protocol"),
    [
        (None, None),
        (["train"] * 5, None),
        (SHARED, "fine-grained"),
        (["train", "train", "train", "gallery", "query"], "fine-grained"),
        (DISJOINT, "zero-shot"),
        (CATALOGUE, "zero-shot"),
        (["test"] * 5, "zero-shot"),
    ],
)
def test_an_own_split_is_of_the_protocol_that_its_classes_make_it(named_set, own_split, protocol):
    assert own_protocol(own_set(named_set, [2, 3], own_split)) == protocol
