"""Defines the protocols by which a dataset is split."""

from typing import Literal, TypeAlias, get_args

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError

Protocol: TypeAlias = Literal["fine-grained", "zero-shot"]
PROTOCOLS = get_args(Protocol)


def check_protocol(protocol: str) -> None:
    """Checks that a protocol is known.

    Args:
        protocol: str.

    Raises:
        UserError: if it is not one of `PROTOCOLS`.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"the protocol must be one of {', '.join(PROTOCOLS)}, not {protocol!r}.")


def own_protocol(image_set: ImageSet) -> Protocol | None:
    """Returns the protocol that the dataset's own split follows.

    Args:
        image_set: `ImageSet`, the whole dataset.

    Returns:
        `"zero-shot"` if training and test photographs share no class, `"fine-grained"` if they
        share one, and `None` if the dataset has no split of its own, or nothing to
        test on.
    """
    if image_set.own_split is None:
        return None
    trained = image_set.own_split == "train"
    tested = np.isin(image_set.own_split, ("test", "gallery", "query"))
    if not tested.any():
        return None
    shared = np.intersect1d(image_set.labels[trained], image_set.labels[tested])
    return "fine-grained" if shared.size else "zero-shot"
