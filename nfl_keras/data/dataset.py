"""A whole dataset, loaded once, and the ways in which it is split."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocols import split_set


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A whole dataset and its protocols.

    Args:
        whole: `ImageSet`, all photographs.
        protocol: `"fine-grained"` or `"zero-shot"`, its usual one.
        per_class: three ints, photographs per class in train, gallery and query under the
            fine-grained protocol. Defaults to `None`, see `split_set`.
        counts: dict from protocol to the counts that its split must have, as `split_set`
            expects them. Defaults to none.

    Example:

    >>> dataset = open_dataset("blooms")
    >>> train, query = dataset.split("train"), dataset.split("query")
    """

    whole: ImageSet
    protocol: str
    per_class: tuple[int, int, int] | None = None
    counts: Mapping = dataclasses.field(default_factory=dict)

    def split(self, split, protocol=None, seed=0):
        """One split, see `nfl_keras.data.protocols.split_set`.

        Args:
            split: `"train"`, `"gallery"`, `"query"` or `"all"`.
            protocol: `"fine-grained"` or `"zero-shot"`. Defaults to the usual one.
            seed: int, of photographs dealt. Defaults to `0`.

        Returns:
            An `ImageSet` with the protocol in words.

        Raises:
            UserError: as `split_set` does.
        """
        protocol = protocol or self.protocol
        per_class = self.per_class if protocol == "fine-grained" else None
        expected = self.counts.get(protocol)
        return split_set(self.whole, protocol, split, seed, per_class, expected)

    def without(self, ids):
        """The dataset less some photographs, held to no counts and saying so in its protocols.

        Args:
            ids: collection of str. Those of no photograph here are passed over.

        Returns:
            A `Dataset`; this one if nothing is left out.
        """
        left_out = np.isin(self.whole.ids, list(ids))
        if not left_out.any():
            return self
        words = f"photographs left out that cannot be used: {np.count_nonzero(left_out):,}"
        if self.whole.description:
            words = f"{self.whole.description}; {words}"
        return dataclasses.replace(self, whole=self.whole.subset(~left_out, words), counts={})
