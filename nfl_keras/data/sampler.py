"""Which photographs make up each batch."""

import warnings

import numpy as np

from nfl_keras.errors import UserError


class BalancedSampler:
    """Batches of K classes with K1 photographs each, planned an epoch at a time.

    A batch holds K different classes and K1 different photographs of each, so that no image
    meets itself. A class' photographs are dealt without replacement until fewer than K1 are
    left, then shuffled and dealt anew. Classes are drawn by how many photographs they still
    have to deal, so that an epoch, N // (K K1) batches, comes near to seeing each photograph
    once whatever the sizes of the classes.

    An epoch's plan depends on the seed and the epoch's number alone.

    Args:
        labels: int `[N]`.
        classes_per_batch: int K >= 1.
        images_per_class: int K1 >= 1.
        seed: int. Defaults to `0`.
        class_names: sequence of str, for messages. Defaults to the labels themselves.
        small_classes: what to do with classes of fewer than K1 photographs: `"error"`, or
            `"drop"` to train without them. Defaults to `"error"`.

    Raises:
        UserError: if a class is too small, or fewer than K classes (or less than a batch of
            photographs) are left.

    Example:

    >>> sampler = BalancedSampler([0, 0, 0, 1, 1, 1], classes_per_batch=2, images_per_class=2)
    >>> sampler.epoch(0).shape
    (1, 4)
    """

    def __init__(
        self,
        labels,
        classes_per_batch,
        images_per_class,
        seed=0,
        class_names=None,
        small_classes="error",
    ):
        if classes_per_batch < 1 or images_per_class < 1:
            raise UserError(
                f"classes_per_batch ({classes_per_batch}) and images_per_class "
                f"({images_per_class}) must be 1 or more."
            )
        if small_classes not in ("error", "drop"):
            raise UserError(f"small_classes must be 'error' or 'drop', not {small_classes!r}.")
        labels = np.asarray(labels)
        order = np.argsort(labels, kind="stable")
        classes, starts = np.unique(labels[order], return_index=True)
        members = np.split(order, starts[1:])
        small = [c for c, m in zip(classes, members, strict=True) if len(m) < images_per_class]
        if small:
            named = [str(class_names[c]) if class_names is not None else str(c) for c in small[:5]]
            more = f" and {len(small) - 5} more" if len(small) > 5 else ""
            what = (
                f"of {len(members)} classes {len(small)} have fewer than images_per_class = "
                f"{images_per_class} photographs ({', '.join(named)}{more})"
            )
            if small_classes == "error":
                raise UserError(
                    f"{what}; lower images_per_class, add photographs, or leave these classes "
                    f"out with small_classes = 'drop'."
                )
            warnings.warn(f"{what} and are left out.", stacklevel=2)
        self.members = [m for m in members if len(m) >= images_per_class]
        if len(self.members) < classes_per_batch:
            raise UserError(
                f"a batch needs classes_per_batch = {classes_per_batch} classes, but there are "
                f"{len(self.members)} to train on; lower classes_per_batch or add classes."
            )
        self.classes_per_batch = classes_per_batch
        self.images_per_class = images_per_class
        self.batch_size = classes_per_batch * images_per_class
        self.seed = seed
        num_images = sum(len(m) for m in self.members)
        self.batches_per_epoch = max(1, num_images // self.batch_size)

    def epoch(self, number):
        """The plan of one epoch.

        Args:
            number: int >= 0.

        Returns:
            int64 `[batches_per_epoch, K * K1]`, positions in `labels`, class by class.
        """
        rng = np.random.default_rng([self.seed, number])
        hands = [rng.permutation(m) for m in self.members]
        per_class = self.images_per_class
        left = np.array([len(m) // per_class for m in self.members])
        batches = []
        for _ in range(self.batches_per_epoch):
            chosen = self._draw_classes(rng, left)
            for c in chosen[left[chosen] == 0]:
                hands[c] = rng.permutation(self.members[c])
                left[c] = len(hands[c]) // per_class
            left[chosen] -= 1
            dealt = [hands[c][left[c] * per_class : (left[c] + 1) * per_class] for c in chosen]
            batches.append(np.concatenate(dealt))
        return np.stack(batches)

    def _draw_classes(self, rng, left):
        # Gumbel top-k: a draw without replacement, with weights `left`; classes that have
        # dealt all they had come last, in random order.
        keys = np.log(np.maximum(left, 1e-99)) + rng.gumbel(size=len(left))
        first = np.argpartition(-keys, self.classes_per_batch - 1)[: self.classes_per_batch]
        return first[np.argsort(-keys[first])]
