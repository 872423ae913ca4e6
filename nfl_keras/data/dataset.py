"""Defines a whole dataset and how it is split."""

import dataclasses
from collections.abc import Collection, Mapping

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol, own_protocol
from nfl_keras.data.split_set import Counts, Split, split_set


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A whole dataset and its protocols.

    Args:
        whole: `ImageSet`, all photographs.
        protocol: `"fine-grained"` or `"zero-shot"`, the dataset's usual protocol.
        per_class: three ints, photographs per class in train, gallery and query under the
            fine-grained protocol. Defaults to `None`, see `split_set`.
        counts: dict from protocol to the counts that its split must have, see `expected` of
            `split_set`. Defaults to `{}`.

    Example:

    >>> dataset = nfl.data.open_dataset("blooms")
    >>> dataset.split("train")
    ImageSet(960 photographs of 20 classes)
    """

    whole: ImageSet
    protocol: Protocol
    per_class: tuple[int, int, int] | None = None
    counts: Mapping[str, Counts] = dataclasses.field(default_factory=dict)

    def split(self, split: Split, protocol: Protocol | None = None, seed: int = 0) -> ImageSet:
        """Returns one split, see `nfl_keras.data.split_set`.

        Args:
            split: `"train"`, `"validation"`, `"gallery"`, `"query"` or `"all"`.
            protocol: `"fine-grained"` or `"zero-shot"`. Defaults to `None`: the dataset's
                usual protocol.
            seed: int, by which photographs are dealt to splits. Defaults to `0`.

        Returns:
            An `ImageSet` whose description names the protocol.

        Raises:
            UserError: if the dataset cannot be split so, see `split_set`.
        """
        protocol = protocol or self.protocol
        per_class = self.per_class if protocol == "fine-grained" else None
        expected = self.counts.get(protocol)
        return split_set(self.whole, protocol, split, seed, per_class, expected)

    def has_validation(self, protocol: Protocol | None = None) -> bool:
        """Tells whether the dataset's own split, if it follows a protocol, has validation.

        Args:
            protocol: `"fine-grained"` or `"zero-shot"`. Defaults to `None`: the dataset's
                usual protocol.

        Returns:
            bool, whether `split("validation", protocol)` has photographs.
        """
        own = self.whole.own_split
        is_followed = own_protocol(self.whole) == (protocol or self.protocol)
        return own is not None and is_followed and "validation" in own

    def without(self, ids: Collection[str]) -> "Dataset":
        """Returns the dataset without some photographs.

        Its counts are no longer checked, and its description says how many are left out.

        Args:
            ids: collection of str. Ids of no photograph are ignored.

        Returns:
            A `Dataset`; this dataset if no photograph is left out.
        """
        left_out = np.isin(self.whole.ids, list(ids))
        if not left_out.any():
            return self
        words = f"photographs left out that cannot be used: {np.count_nonzero(left_out):,}"
        if self.whole.description:
            words = f"{self.whole.description}; {words}"
        return dataclasses.replace(self, whole=self.whole.subset(~left_out, words), counts={})
