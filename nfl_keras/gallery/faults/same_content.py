"""Pairs photographs whose files have the same content."""

import numpy as np

from nfl_keras.gallery.faults.similar_pairs import Pairs


def same_content(hashes: np.ndarray, parts: np.ndarray | None = None) -> Pairs:
    """Pairs each photograph with the next of the same content.

    Args:
        hashes: integers or strings `[N]`, of the contents.
        parts: integers `[N]`, the split or the catalog that each photograph is in. A content
            that is in one part only is then left out. Defaults to `None`: none is left out.

    Returns:
        `Pairs`, whose similarities are 1.

    Example:

    >>> from nfl_keras.gallery.faults.same_content import same_content
    >>> same_content(np.array(["5e", "90", "5e", "5e"]))
    (array([0, 2]), array([2, 3]), array([1., 1.], dtype=float32))
    """
    content = np.unique(hashes, return_inverse=True)[1]
    order = np.argsort(content, kind="stable")
    follows = content[order[1:]] == content[order[:-1]]
    if parts is not None:
        with_part = np.unique(np.stack([content, parts], axis=1), axis=0)
        num_parts = np.bincount(with_part[:, 0])
        follows &= num_parts[content[order[1:]]] > 1
    first, second = order[:-1][follows], order[1:][follows]
    return first, second, np.ones(len(first), dtype=np.float32)
