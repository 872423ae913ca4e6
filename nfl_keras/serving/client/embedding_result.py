"""The result of a client: embeddings, and which images have none."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddingResult:
    """Embeddings of images, and why some images have none.

    Args:
        embeddings: float32 `[N, D]`, unit vectors in the order of the images; zeros for an image
            that failed.
        failed: dict from the index of each image without an embedding to the reason.
        versions: the model versions that answered. Embeddings of different versions are not
            comparable: more than one means that the server changed versions meanwhile.

    Example:

    >>> vectors = np.array([[0.6, 0.8], [0.0, 0.0]], "float32")
    >>> result = nfl.serving.EmbeddingResult(vectors, {1: "not an image"}, versions=(1,))
    >>> result
    EmbeddingResult(1 of 2 embedded, 2 dimensions; 1 failed: 1 (not an image))
    >>> result.embeddings[result.ok].shape
    (1, 2)
    """

    embeddings: np.ndarray
    failed: dict[int, str]
    versions: tuple[int, ...] = ()

    @property
    def ok(self) -> np.ndarray:
        """Bool `[N]`, true for images that have an embedding."""
        ok = np.ones(len(self.embeddings), bool)
        ok[list(self.failed)] = False
        return ok

    def __len__(self) -> int:
        return len(self.embeddings)

    def __repr__(self) -> str:
        count, width = self.embeddings.shape
        text = f"{count - len(self.failed):,} of {count:,} embedded, {width} dimensions"
        if self.failed:
            index, reason = next(iter(self.failed.items()))
            more = ", ..." if len(self.failed) > 1 else ""
            text += f"; {len(self.failed):,} failed: {index} ({reason}){more}"
        return f"EmbeddingResult({text})"
