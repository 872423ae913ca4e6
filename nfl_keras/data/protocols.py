"""Who is trained on, who is searched for, and among whom: the splits of a dataset."""

import numpy as np

from nfl_keras.errors import UserError

PROTOCOLS = ("fine-grained", "zero-shot")
SPLITS = ("train", "gallery", "query", "all")


def split_set(image_set, protocol, split, seed=0, per_class=None):
    """One split of a dataset under a protocol.

    `"zero-shot"`: the first half of the classes, in their order, to train; of the others
    each photograph is a query against the rest, none of their classes ever trained on.
    `"fine-grained"`: the photographs of each class are shuffled by the seed and dealt to
    train, gallery and query. Where no counts are given, half of them go to train, and of the
    others each is a query against the rest.

    Where queries are searched among each other, `"query"` and `"gallery"` are the same
    photographs under the same ids, and retrieval leaves each query out of its own answer.

    Args:
        image_set: `ImageSet`, the whole dataset.
        protocol: `"fine-grained"` or `"zero-shot"`.
        split: `"train"`, `"gallery"`, `"query"` or `"all"`.
        seed: int, of the fine-grained split. Defaults to `0`.
        per_class: three ints, photographs per class in train, gallery and query, for the
            fine-grained protocol. Defaults to `None`.

    Returns:
        An `ImageSet` with the protocol in words.

    Raises:
        UserError: for another protocol or split, or where a class has too few photographs.
    """
    _check_protocol(protocol)
    if split not in SPLITS:
        raise UserError(f"the split must be one of {', '.join(SPLITS)}, not {split!r}.")
    if split == "all":
        return image_set
    if protocol == "zero-shot":
        chosen, words = _zero_shot(image_set, split)
    else:
        chosen, words = _fine_grained(image_set, split, seed, per_class)
    return image_set.subset(np.sort(chosen), words)


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
    rng = np.random.default_rng([seed, 1])
    if protocol == "zero-shot":
        num_classes = len(train.class_names)
        held_classes = rng.permutation(num_classes)[: max(1, round(num_classes * share))]
        held = np.isin(train.labels, held_classes)
        what = f"{len(held_classes)} of {num_classes} training classes"
    else:
        rank = _rank_in_class(train.labels, rng)
        sizes = np.bincount(train.labels)[train.labels]
        held = rank < np.round(sizes * share)
        what = f"{share:.0%} of each class' training photographs"
    if held.all() or not held.any():
        raise UserError(
            f"holding out {what} would leave nothing to {'train' if held.all() else 'validate'} "
            f"on; the classes or their photographs are too few."
        )
    words = f"{protocol}, validation: {what} held out, each a query against the rest"
    return train.subset(np.flatnonzero(~held)), train.subset(np.flatnonzero(held), words)


def _check_protocol(protocol):
    if protocol not in PROTOCOLS:
        raise UserError(f"the protocol must be one of {', '.join(PROTOCOLS)}, not {protocol!r}.")


def _zero_shot(image_set, split):
    num_classes = len(image_set.class_names)
    num_trained = num_classes // 2
    if not num_trained:
        raise UserError("the zero-shot protocol needs 2 classes or more; there is 1.")
    trained = image_set.labels < num_trained
    words = (
        f"zero-shot: {num_trained} classes ({int(trained.sum()):,} photographs) to train, "
        f"{num_classes - num_trained} others ({int((~trained).sum()):,}) to test, each of their "
        f"photographs a query against the rest"
    )
    return np.flatnonzero(trained if split == "train" else ~trained), words


def _fine_grained(image_set, split, seed, per_class):
    rank = _rank_in_class(image_set.labels, np.random.default_rng(seed))
    sizes = np.bincount(image_set.labels, minlength=len(image_set.class_names))
    if per_class is None:
        trained = rank < (sizes // 2)[image_set.labels]
        words = (
            f"fine-grained, split {seed}: {int(trained.sum()):,} photographs to train, of the "
            f"other {int((~trained).sum()):,} each a query against the rest"
        )
        return np.flatnonzero(trained if split == "train" else ~trained), words
    if sizes.min() < sum(per_class):
        smallest = image_set.class_names[sizes.argmin()]
        raise UserError(
            f"the class {smallest!r} has {sizes.min()} photographs; this protocol deals "
            f"{' + '.join(map(str, per_class))} of each class."
        )
    train, gallery, query = per_class
    first, last = {
        "train": (0, train),
        "gallery": (train, train + gallery),
        "query": (train + gallery, train + gallery + query),
    }[split]
    words = (
        f"fine-grained, split {seed}: of each class {train} photographs to train, {query} "
        f"queries against a gallery of {gallery}"
    )
    return np.flatnonzero((first <= rank) & (rank < last)), words


def _rank_in_class(labels, rng):
    """Each photograph's place in a random order of its class."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank
