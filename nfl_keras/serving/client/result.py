"""What a client brings back."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddingResult:
    """Embeddings, and which images have none.

    Args:
        embeddings: float32 `[N, D]`, unit vectors in the order of the images; zeros for an
            image that failed.
        failed: dict from the index of each image without an embedding to the reason.
        versions: tuple of int, the model versions that answered. Embeddings of different
            versions are not comparable: more than one says that the server changed versions
            meanwhile.

    Example:

    >>> result = client.embed(paths)
    >>> result
    EmbeddingResult(2 of 3 embedded, 256 dimensions; 1 failed: 1 (not an image))
    >>> vectors = result.embeddings[result.ok]
    """

    embeddings: np.ndarray
    failed: dict[int, str]
    versions: tuple[int, ...] = ()

    @property
    def ok(self):
        """Bool `[N]`, true for images that have an embedding."""
        ok = np.ones(len(self.embeddings), bool)
        ok[list(self.failed)] = False
        return ok

    def __len__(self):
        return len(self.embeddings)

    def __repr__(self):
        count, width = self.embeddings.shape
        text = f"{count - len(self.failed):,} of {count:,} embedded, {width} dimensions"
        if self.failed:
            index, reason = next(iter(self.failed.items()))
            more = ", ..." if len(self.failed) > 1 else ""
            text += f"; {len(self.failed):,} failed: {index} ({reason}){more}"
        return f"EmbeddingResult({text})"
