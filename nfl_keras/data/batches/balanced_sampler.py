"""Defines the sampler that plans which photographs make up each batch."""

import warnings
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from nfl_keras.data.batches.category_groups import category_groups
from nfl_keras.errors import UserError

SmallClasses: TypeAlias = Literal["error", "drop", "fill"]


class BalancedSampler:
    """A plan of batches, each of K classes with K1 photographs, an epoch at a time.

    A batch holds K different classes and K1 different photographs of each class, so that no
    photograph meets itself. A class deals all of its photographs, in random order, before it
    deals one of them again. Where fewer than K1 of them are left, the batch takes these first,
    then others from a fresh shuffle. The sampler draws classes by the number of photographs that
    they have left. An epoch has N // (K K1) batches, at least one, and therefore shows nearly
    every photograph once, whatever the sizes of the classes.

    A class of fewer than K1 photographs raises an error, is left out of N and of every batch
    (`small_classes="drop"`), or gives all its photographs (`"fill"`). With `"fill"`, more
    classes fill the batch up to K K1 photographs: a batch holds K classes or more, and the last
    class is cut to fit. A class that gives one photograph is a negative of the others.

    With `categories`, the classes of a batch are of one super-category, so that they are hard to
    tell apart. Each super-category has as many batches as an epoch over its photographs alone, and
    the batches of all are shuffled. Super-categories that are too small to make a batch share
    batches with others, see `category_groups`.

    The plan of an epoch depends only on the seed and the epoch's number, so that a run resumes
    at any batch: `sampler.epoch(number)[first_batch:]`. The sampler holds one int64 per
    photograph and class, less than the index of the photographs takes.

    Args:
        labels: int `[N]`.
        classes_per_batch: int K >= 1.
        images_per_class: int K1 >= 1.
        seed: int. Defaults to `0`.
        class_names: sequence of str, for messages; label `i` is called `class_names[i]`.
            Defaults to `None`: messages show the labels.
        small_classes: `"error"`, `"drop"` or `"fill"`, for classes of fewer than K1
            photographs. Defaults to `"error"`.
        categories: sequence of str; label `i` is of the super-category `categories[i]`. Defaults to
            `None`: a batch may have any classes.

    Raises:
        UserError: if an argument is out of its range, a class is too small, or the remaining
            classes do not make a batch.

    Example:

    >>> sampler = nfl.data.BalancedSampler([0, 0, 0, 1, 1, 1], 2, images_per_class=2)
    >>> sampler.epoch(0).shape
    (1, 4)
    """

    def __init__(
        self,
        labels: Sequence[int] | np.ndarray,
        classes_per_batch: int,
        images_per_class: int,
        seed: int = 0,
        class_names: Sequence[str] | None = None,
        small_classes: SmallClasses = "error",
        categories: Sequence[str] | None = None,
    ) -> None:
        if classes_per_batch < 1 or images_per_class < 1:
            raise UserError(
                f"classes_per_batch ({classes_per_batch}) and images_per_class "
                f"({images_per_class}) must be 1 or more."
            )
        if small_classes not in ("error", "drop", "fill"):
            raise UserError(
                f"small_classes must be 'error', 'drop' or 'fill', not {small_classes!r}."
            )
        self.classes_per_batch = classes_per_batch
        self.images_per_class = images_per_class
        self.batch_size = classes_per_batch * images_per_class
        self.seed = seed

        labels = np.asarray(labels)
        order = np.argsort(labels, kind="stable")
        classes, sizes = np.unique(labels, return_counts=True)
        small = sizes < images_per_class
        if small.any() and small_classes != "fill":
            small_in_words = _in_words(classes, small, images_per_class, class_names)
            if small_classes == "error":
                raise UserError(
                    f"{small_in_words}; lower images_per_class, add photographs, leave these "
                    f"classes out with small_classes = 'drop', or take all that they have with "
                    f"'fill'."
                )
            warnings.warn(f"{small_in_words} and are left out.", stacklevel=2)
            order, sizes = order[np.repeat(~small, sizes)], sizes[~small]
            classes = classes[~small]
        # `_order` holds positions class by class: class c begins at `_starts[c]`.
        self._order, self._sizes, self._starts = order, sizes, np.cumsum(sizes) - sizes
        self._deals = np.minimum(sizes, images_per_class)
        self._check_a_batch_can_be_made()
        self._groups = [np.arange(len(sizes))]
        if categories is not None:
            of_classes = [categories[c] for c in classes]
            self._groups = category_groups(
                of_classes, self._deals, classes_per_batch, self.batch_size
            )
        batches = [int(sizes[group].sum()) // self.batch_size for group in self._groups]
        self._group_of_batch = np.repeat(np.arange(len(batches)), batches)
        self.batches_per_epoch = len(self._group_of_batch)

    def epoch(self, number: int) -> np.ndarray:
        """Returns the plan of one epoch.

        Args:
            number: int >= 0.

        Returns:
            int64 `[batches_per_epoch, K * K1]`, positions in `labels`, class by class.

        Example:

        >>> sampler = nfl.data.BalancedSampler([0, 0, 0, 1, 1, 1], 2, images_per_class=2)
        >>> [batch] = sampler.epoch(0)
        >>> len(set(batch.tolist()))
        4
        """
        rng = np.random.default_rng([self.seed, number])
        decks = self._order.copy()
        dealt = np.zeros_like(self._sizes)
        # Every class has an exponential clock whose rate is the weight of the class. A batch
        # draws the classes whose clocks ring first: weighted, without replacement. Only their
        # clocks are set anew, since exponential clocks have no memory.
        clocks = rng.standard_exponential(len(dealt)) * self._deals / self._sizes
        plan = np.empty((self.batches_per_epoch, self.batch_size), np.int64)
        group_of_batch = self._group_of_batch
        if len(self._groups) > 1:
            group_of_batch = rng.permutation(group_of_batch)
        for batch, group in zip(plan, group_of_batch, strict=True):
            chosen, counts = self._first_to_ring(clocks, self._groups[group])
            filled = 0
            for c, count in zip(chosen.tolist(), counts.tolist(), strict=True):
                deck = decks[self._starts[c] : self._starts[c] + self._sizes[c]]
                place = int(dealt[c]) % len(deck)
                batch[filled : filled + count] = _deal(rng, deck, place, count)
                filled += count
            dealt[chosen] += counts
            # Classes that have dealt all their photographs come last, in random order.
            left = np.maximum(self._sizes[chosen] - dealt[chosen], 1e-99)
            waits = rng.standard_exponential(len(chosen)) * self._deals[chosen] / left
            clocks[chosen] = clocks[chosen[-1]] + waits
        return plan

    def _first_to_ring(
        self, clocks: np.ndarray, group: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the classes of a batch, first to last, and how many photographs each deals."""
        most = min(len(group), -(-self.batch_size // int(self._deals.min())))
        first = group[np.argpartition(clocks[group], most - 1)[:most]]
        first = first[np.argsort(clocks[first])]
        counts = self._deals[first]
        ends = np.cumsum(counts)
        last = int(np.searchsorted(ends, self.batch_size))
        counts[last] -= ends[last] - self.batch_size
        return first[: last + 1], counts[: last + 1]

    def _check_a_batch_can_be_made(self) -> None:
        if len(self._sizes) < self.classes_per_batch:
            raise UserError(
                f"a batch needs classes_per_batch = {self.classes_per_batch} classes, but there "
                f"are {len(self._sizes)} to train on; lower classes_per_batch or add classes."
            )
        if self._deals.sum() < self.batch_size:
            raise UserError(
                f"a batch needs {self.classes_per_batch} x {self.images_per_class} photographs, "
                f"but the classes give only {self._deals.sum()}, at most images_per_class = "
                f"{self.images_per_class} each; lower classes_per_batch or add photographs."
            )


def _deal(rng: np.random.Generator, deck: np.ndarray, place: int, count: int) -> np.ndarray:
    """Deals `count` cards of a deck from `place` on, and shuffles the deck when it is used up."""
    if place == 0:
        rng.shuffle(deck)
    if place + count <= len(deck):
        return deck[place : place + count]
    rest = deck[place:].copy()
    rng.shuffle(deck[:place])
    rng.shuffle(deck[place:])
    return np.concatenate([rest, deck[: count - len(rest)]])


def _in_words(
    classes: np.ndarray,
    small: np.ndarray,
    images_per_class: int,
    class_names: Sequence[str] | None,
) -> str:
    named = [str(c) if class_names is None else str(class_names[c]) for c in classes[small][:5]]
    more = f" and {small.sum() - 5} more" if small.sum() > 5 else ""
    return (
        f"of {len(classes)} classes {small.sum()} have fewer than images_per_class = "
        f"{images_per_class} photographs ({', '.join(named)}{more})"
    )
