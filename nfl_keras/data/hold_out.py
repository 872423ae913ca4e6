"""Defines how a training split is divided once more, into training and validation."""

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol, check_protocol
from nfl_keras.data.rank_in_class import rank_in_class
from nfl_keras.errors import UserError


def hold_out_validation(
    train: ImageSet, protocol: Protocol, seed: int = 0, share: float = 0.25
) -> tuple[ImageSet, ImageSet]:
    """Holds validation photographs out of a training split, to choose settings without the test.

    `"zero-shot"` holds out a share of the classes, `"fine-grained"` a share of each class'
    photographs.

    Args:
        train: `ImageSet`, a training split.
        protocol: `"fine-grained"` or `"zero-shot"`.
        seed: int. Defaults to `0`.
        share: float in (0, 1). Defaults to `0.25`.

    Returns:
        `(train, validation)`, two `ImageSet`s. Each validation photograph is a query among the
        other ones.

    Raises:
        UserError: if the protocol is unknown, or one of the two sets would be empty.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> nfl.data.hold_out_validation(train, "fine-grained")
    (ImageSet(720 photographs of 20 classes), ImageSet(240 photographs of 20 classes))
    """
    check_protocol(protocol)
    if protocol == "zero-shot":
        return hold_out_classes(train, max(1, round(train.num_classes * share)), seed)
    rank = rank_in_class(train.labels, np.random.default_rng([seed, 1]))
    sizes = np.bincount(train.labels)[train.labels]
    held = rank < np.round(sizes * share)
    return _hold_out(train, held, protocol, f"{share:.0%} of each class' training photographs")


def hold_out_classes(train: ImageSet, num_classes: int, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """Holds validation classes out of a training split.

    Args:
        train: `ImageSet`, a training split.
        num_classes: int >= 1, the number of validation classes, drawn by the seed.
        seed: int. Defaults to `0`.

    Returns:
        `(train, validation)`, two `ImageSet`s that share no class. Each validation photograph
        is a query among the other ones.

    Raises:
        UserError: if one of the two sets would be empty.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> nfl.data.hold_out_classes(train, 5)
    (ImageSet(720 photographs of 15 classes), ImageSet(240 photographs of 5 classes))
    """
    total = train.num_classes
    drawn = np.random.default_rng([seed, 1]).permutation(total)[: max(0, num_classes)]
    held = np.isin(train.labels, train.classes[drawn])
    return _hold_out(train, held, "zero-shot", f"{num_classes:,} of {total:,} training classes")


def hold_out_pairs(
    train: ImageSet, keep: int = 2, share: float = 0.05, seed: int = 0
) -> tuple[ImageSet, ImageSet]:
    """Holds two photographs out of each of some classes, to watch a training on all classes.

    Each finds the other one of its class among those held out. The classes are drawn by the seed,
    as many as the share allows and two at least.

    Args:
        train: `ImageSet`, photographs to train on.
        keep: int >= 1, photographs that a class keeps at least. Smaller classes give none.
            Defaults to `2`.
        share: float in (0, 1), the share of all photographs to hold out at most. Defaults to
            `0.05`.
        seed: int. Defaults to `0`.

    Returns:
        `(train, validation)`, two `ImageSet`s. Each validation photograph is a query among the
        other ones.

    Raises:
        UserError: if fewer than two classes have `keep + 2` photographs.

    Example:

    >>> nfl.data.hold_out_pairs(nfl.data.load("blooms", split="all"))
    (ImageSet(1,840 photographs of 40 classes), ImageSet(80 photographs of 40 classes))
    """
    large = np.flatnonzero(np.bincount(train.labels) >= keep + 2)
    if len(large) < 2:
        raise UserError(
            f"holding out 2 photographs of a class needs two classes of {keep + 2:,} or more, so "
            f"that {keep:,} are left of each, and there are {len(large)}; add photographs, lower "
            f"images_per_class, or hold out whole classes with validation_classes."
        )
    rng = np.random.default_rng([seed, 1])
    drawn = rng.permutation(large)[: max(2, int(share * len(train) / 2))]
    held = (rank_in_class(train.labels, rng) < 2) & np.isin(train.labels, drawn)
    what = f"2 photographs of each of {len(drawn):,} classes"
    return _hold_out(train, held, "fine-grained", what)


def _hold_out(
    train: ImageSet, held: np.ndarray, protocol: Protocol, what: str
) -> tuple[ImageSet, ImageSet]:
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
