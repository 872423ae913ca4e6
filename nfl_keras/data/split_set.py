"""Defines how a dataset is split into photographs to train on, to search for and to search in."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol, check_protocol, own_protocol
from nfl_keras.data.rank_in_class import rank_in_class
from nfl_keras.errors import UserError

Split: TypeAlias = Literal["train", "validation", "gallery", "query", "all"]
SPLITS = get_args(Split)
# (classes, photographs) to train, and (classes, photographs) to test.
Counts: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
# The photographs of train, validation, gallery and query, each bool `[N]`.
Roles: TypeAlias = Mapping[str, np.ndarray]


def split_set(
    image_set: ImageSet,
    protocol: Protocol,
    split: Split,
    seed: int = 0,
    per_class: tuple[int, int, int] | None = None,
    expected: Counts | None = None,
) -> ImageSet:
    """Returns one split of a dataset under a protocol.

    If the dataset's own split follows the protocol (see `own_protocol`), that split is taken.
    Otherwise `"zero-shot"` trains on the first half of the classes, in their order, and tests on
    the other classes. `"fine-grained"` shuffles the photographs of each class by the seed, and
    trains on one half of them or on the counts given by `per_class`.

    Without a separate gallery, each test photograph is a query against the other ones: `"query"`
    and `"gallery"` hold the same photographs under the same ids, and retrieval leaves each query
    out of its own answer. Only a dataset's own split has `"validation"` photographs, which are in
    no other split.

    Args:
        image_set: `ImageSet`, the whole dataset.
        protocol: `"fine-grained"` or `"zero-shot"`.
        split: `"train"`, `"validation"`, `"gallery"`, `"query"` or `"all"`.
        seed: int, by which photographs are dealt to splits. Defaults to `0`.
        per_class: three ints, photographs per class in train, gallery and query, for the
            fine-grained protocol. Defaults to `None`.
        expected: `((classes, photographs) to train, (classes, photographs) to test)` that the
            split must have, each int. Defaults to `None`: the counts are not checked.

    Returns:
        An `ImageSet` whose description says the protocol, the origin of the split and its counts.

    Raises:
        UserError: if the protocol or split is unknown, a class has too few photographs, the counts
            are not the expected ones, or the split is empty.

    Example:

    >>> from nfl_keras.data.split_set import split_set
    >>> split_set(nfl.data.open_dataset("blooms").whole, "fine-grained", "query")
    ImageSet(960 photographs of 40 classes)
    """
    check_protocol(protocol)
    if split not in SPLITS:
        raise UserError(f"the split must be one of {', '.join(SPLITS)}, not {split!r}.")
    if split == "all":
        classes, photographs = _count(image_set.labels)
        words = f"all {photographs:,} photographs of {classes:,} classes"
        return dataclasses.replace(image_set, description=_with(words, image_set.description))
    roles: Roles
    if (
        image_set.own_split is not None
        and own_protocol(image_set) == protocol
        and per_class is None
    ):
        how, roles = "the dataset's own split", _own_roles(image_set.own_split)
    elif protocol == "zero-shot":
        how, roles = "split by halves of the classes", _halves_of_classes(image_set)
    else:
        how, roles = _dealt(image_set, seed, per_class)
    labels = image_set.labels
    counts = _count(labels[roles["train"]]), _count(labels[roles["gallery"] | roles["query"]])
    if expected is not None and counts != expected:
        raise UserError(
            f"the {protocol} split should have {_in_words(protocol, expected)}, but has "
            f"{_in_words(protocol, counts)}; get the dataset again."
        )
    words = f"{protocol}, {how}: {_in_words(protocol, counts)}, {_queries_in_words(roles)}"
    validated = roles.get("validation", np.zeros(len(image_set), bool))
    if validated.any():
        words += f", {validated.sum():,} others to validate on"
    chosen = validated if split == "validation" else roles[split]
    if not chosen.any():
        raise UserError(f"there is no {split} photograph ({words}); choose another protocol.")
    return image_set.subset(chosen, _with(words, image_set.description))


def _own_roles(own_split: np.ndarray) -> Roles:
    return {
        "train": own_split == "train",
        "validation": own_split == "validation",
        "gallery": np.isin(own_split, ("gallery", "test")),
        "query": np.isin(own_split, ("query", "test")),
    }


def _halves_of_classes(image_set: ImageSet) -> Roles:
    classes = image_set.classes
    if len(classes) < 2:
        raise UserError(f"the zero-shot protocol needs 2 classes or more, not {len(classes)}.")
    trained = image_set.labels < classes[len(classes) // 2]
    return {"train": trained, "gallery": ~trained, "query": ~trained}


def _dealt(
    image_set: ImageSet, seed: int, per_class: tuple[int, int, int] | None
) -> tuple[str, Roles]:
    rank = rank_in_class(image_set.labels, np.random.default_rng(seed))
    sizes = np.bincount(image_set.labels)
    if per_class is None:
        trained = rank < (sizes // 2)[image_set.labels]
        return f"split {seed}", {"train": trained, "gallery": ~trained, "query": ~trained}
    train, gallery, query = per_class
    # A class with too few photographs has fewer queries.
    smallest = image_set.classes[sizes[image_set.classes].argmin()]
    if sizes[smallest] <= train + gallery:
        raise UserError(
            f"the class {image_set.class_names[smallest]!r} has {sizes[smallest]} photographs; "
            f"this protocol deals {train} + {gallery} + {query} of each class, to its queries last."
        )
    dealt = np.searchsorted(np.cumsum(per_class), rank, side="right")
    how = f"split {seed} of {train} train, {gallery} gallery and {query} query photographs a class"
    return how, {role: dealt == place for place, role in enumerate(("train", "gallery", "query"))}


def _count(labels: np.ndarray) -> tuple[int, int]:
    return len(np.unique(labels)), len(labels)


def _in_words(protocol: Protocol, counts: Counts) -> str:
    (train_classes, train), (test_classes, test) = counts
    if protocol == "zero-shot":
        return (
            f"{train_classes:,} classes ({train:,} photographs) to train, {test_classes:,} others "
            f"({test:,}) to test"
        )
    return (
        f"{train:,} photographs of {train_classes:,} classes to train, {test:,} of "
        f"{test_classes:,} to test"
    )


def _queries_in_words(roles: Roles) -> str:
    if np.array_equal(roles["query"], roles["gallery"]):
        return "each of these a query against the rest"
    return f"{roles['query'].sum():,} queries against a gallery of {roles['gallery'].sum():,}"


def _with(words: str, description: str) -> str:
    return f"{words}; {description}" if description else words
