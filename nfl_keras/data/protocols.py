"""Who is trained on, who is searched for, and among whom: the splits of a dataset."""

import dataclasses
from typing import Literal, TypeAlias

import numpy as np

from nfl_keras.errors import UserError

PROTOCOLS = ("fine-grained", "zero-shot")
SPLITS = ("train", "gallery", "query", "all")

Protocol: TypeAlias = Literal["fine-grained", "zero-shot"]
Split: TypeAlias = Literal["train", "gallery", "query", "all"]
# (classes, photographs) to train, and (classes, photographs) to test.
Counts: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


def own_protocol(image_set):
    """The protocol that a dataset's own split is one of.

    Args:
        image_set: `ImageSet`, the whole dataset.

    Returns:
        `"zero-shot"` if its training and test photographs share no class, `"fine-grained"` if
        they do, and `None` if it has no split of its own, or nothing but training photographs.
    """
    if image_set.own_split is None:
        return None
    trained = image_set.own_split == "train"
    if trained.all():
        return None
    shared = np.intersect1d(image_set.labels[trained], image_set.labels[~trained])
    return "fine-grained" if shared.size else "zero-shot"


def split_set(image_set, protocol, split, seed=0, per_class=None, expected=None):
    """One split of a dataset under a protocol.

    Under the protocol of the dataset's own split (see `own_protocol`), that split. Otherwise,
    `"zero-shot"`: the first half of the classes, in their order, to train, the others to test,
    none of their classes ever trained on; `"fine-grained"`: the photographs of each class are
    shuffled by the seed and dealt, half of them to train unless counts are given.

    Where there are no separate gallery and query, each test photograph is a query against the
    rest: `"query"` and `"gallery"` are the same photographs under the same ids, and retrieval
    leaves each query out of its own answer.

    Args:
        image_set: `ImageSet`, the whole dataset.
        protocol: `"fine-grained"` or `"zero-shot"`.
        split: `"train"`, `"gallery"`, `"query"` or `"all"`.
        seed: int, of photographs dealt. Defaults to `0`.
        per_class: three ints, photographs per class in train, gallery and query, for the
            fine-grained protocol. Defaults to `None`.
        expected: `((classes, photographs) to train, (classes, photographs) to test)` that the
            split must have, each int. Defaults to `None`: whatever they are.

    Returns:
        An `ImageSet` with the protocol, whose split it is and its counts in words.

    Raises:
        UserError: for another protocol or split, where a class has too few photographs, the
            counts are not those expected, or the split is empty.
    """
    _check_protocol(protocol)
    if split not in SPLITS:
        raise UserError(f"the split must be one of {', '.join(SPLITS)}, not {split!r}.")
    if split == "all":
        classes, photographs = _count(image_set.labels)
        words = f"all {photographs:,} photographs of {classes:,} classes"
        return dataclasses.replace(image_set, description=_with(words, image_set.description))
    if own_protocol(image_set) == protocol and per_class is None:
        how, roles = "the dataset's own split", _own(image_set.own_split)
    elif protocol == "zero-shot":
        how, roles = "split by halves of the classes", _halves(image_set)
    else:
        how, roles = _dealt(image_set, seed, per_class)
    labels = image_set.labels
    counts = _count(labels[roles["train"]]), _count(labels[roles["gallery"] | roles["query"]])
    if expected is not None and counts != expected:
        raise UserError(
            f"the {protocol} split should have {_in_words(protocol, expected)}, but has "
            f"{_in_words(protocol, counts)}; get the dataset again."
        )
    words = f"{protocol}, {how}: {_in_words(protocol, counts)}, {_queries(roles)}"
    if not roles[split].any():
        raise UserError(f"there is no {split} photograph ({words}); choose another protocol.")
    return image_set.subset(roles[split], _with(words, image_set.description))


def hold_out_validation(train, protocol, seed=0, share=0.25):
    """Divides a training split once more, so that settings are chosen without the test set.

    A share of the classes under `"zero-shot"`, a share of each class' photographs under
    `"fine-grained"`.

    Args:
        train: `ImageSet`, a training split.
        protocol: `"fine-grained"` or `"zero-shot"`.
        seed: int. Defaults to `0`.
        share: float in (0, 1). Defaults to `0.25`.

    Returns:
        `(train, validation)`, two `ImageSet`s. Each validation photograph is to be searched
        among the others.

    Raises:
        UserError: for another protocol, or where one of the two would be empty.
    """
    _check_protocol(protocol)
    if protocol == "zero-shot":
        return hold_out_classes(train, max(1, round(train.num_classes * share)), seed)
    rank = _rank_in_class(train.labels, np.random.default_rng([seed, 1]))
    sizes = np.bincount(train.labels)[train.labels]
    held = rank < np.round(sizes * share)
    return _hold_out(train, held, protocol, f"{share:.0%} of each class' training photographs")


def hold_out_classes(train, num_classes, seed=0):
    """Divides a training split once more, by classes.

    Args:
        train: `ImageSet`, a training split.
        num_classes: int >= 1, classes to validate on, drawn by the seed.
        seed: int. Defaults to `0`.

    Returns:
        `(train, validation)`, two `ImageSet`s that share no class. Each validation photograph
        is to be searched among the others.

    Raises:
        UserError: where one of the two would be empty.
    """
    total = train.num_classes
    drawn = np.random.default_rng([seed, 1]).permutation(total)[: max(0, num_classes)]
    held = np.isin(train.labels, train.classes[drawn])
    return _hold_out(train, held, "zero-shot", f"{num_classes:,} of {total:,} training classes")


def _hold_out(train, held, protocol, what):
    if held.all() or not held.any():
        raise UserError(
            f"holding out {what} would leave nothing to {'train' if held.all() else 'validate'} "
            f"on; the classes or their photographs are too few."
        )
    words = (
        f"{protocol}, validation: {what} held out ({int(held.sum()):,} photographs), each a query "
        f"against the rest"
    )
    if train.description:
        words += f"; training split of {train.description}"
    return train.subset(~held), train.subset(held, words)


def _check_protocol(protocol):
    if protocol not in PROTOCOLS:
        raise UserError(f"the protocol must be one of {', '.join(PROTOCOLS)}, not {protocol!r}.")


def _own(own_split):
    return {
        "train": own_split == "train",
        "gallery": np.isin(own_split, ("gallery", "test")),
        "query": np.isin(own_split, ("query", "test")),
    }


def _halves(image_set):
    classes = image_set.classes
    if len(classes) < 2:
        raise UserError(f"the zero-shot protocol needs 2 classes or more, not {len(classes)}.")
    trained = image_set.labels < classes[len(classes) // 2]
    return {"train": trained, "gallery": ~trained, "query": ~trained}


def _dealt(image_set, seed, per_class):
    rank = _rank_in_class(image_set.labels, np.random.default_rng(seed))
    sizes = np.bincount(image_set.labels)
    if per_class is None:
        trained = rank < (sizes // 2)[image_set.labels]
        return f"split {seed}", {"train": trained, "gallery": ~trained, "query": ~trained}
    train, gallery, query = per_class
    # A class that lacks some photographs lacks them among its queries.
    smallest = image_set.classes[sizes[image_set.classes].argmin()]
    if sizes[smallest] <= train + gallery:
        raise UserError(
            f"the class {image_set.class_names[smallest]!r} has {sizes[smallest]} photographs; "
            f"this protocol deals {train} + {gallery} + {query} of each class, to its queries last."
        )
    dealt = np.searchsorted(np.cumsum(per_class), rank, side="right")
    how = f"split {seed} of {train} train, {gallery} gallery and {query} query photographs a class"
    return how, {role: dealt == place for place, role in enumerate(("train", "gallery", "query"))}


def _count(labels):
    return len(np.unique(labels)), len(labels)


def _in_words(protocol, counts):
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


def _queries(roles):
    if np.array_equal(roles["query"], roles["gallery"]):
        return "each of these a query against the rest"
    return f"{roles['query'].sum():,} queries against a gallery of {roles['gallery'].sum():,}"


def _with(words, of_the_whole):
    return f"{words}; {of_the_whole}" if of_the_whole else words


def _rank_in_class(labels, rng):
    """Each photograph's place in a random order of its class."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank
