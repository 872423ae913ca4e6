"""Defines the anti-collapse term, the negative coding rate of a set of vectors."""

from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


def anti_collapse(vectors: Tensor, precision: float = 0.5) -> Tensor:
    """Computes the negative coding rate of vectors, which is least where they spread most.

    With the vectors as the rows of Z,

        L = -log det(I + D / (N precision) Z^T Z) / 2,

    where `precision` is the squared distortion. Jiang et al. maximize this rate of the proxies of
    classes, or of the embeddings of a batch, beside a proxy- or pair-based loss. It has no
    anchors and no labels. Their program exchanges D and N in the factor for proxies, takes the
    proxies of the batch's classes alone, and minimizes e^L.

    Args:
        vectors: float `[N, D]` or `[K, M, D]` with N = K M, unit vectors, cast to float32.
        precision: float > 0. Defaults to `0.5`.

    Returns:
        float32 scalar, at most 0.

    Raises:
        UserError: if `precision` is not above 0.

    Example:

    >>> float(nfl.losses.anti_collapse(np.eye(4, dtype="float32")))
    -2.197...

    Reference: Jiang et al., Anti-collapse loss for deep metric learning based on coding rate
    metric, 2024 (arXiv 2407.03106); Yu et al., Learning diverse and discriminative
    representations via the principle of maximal coding rate reduction, NeurIPS 2020.
    """
    if not precision > 0:
        raise UserError(f"precision must be above 0, not {precision}; 0.5 is usual.")
    vectors = ops.cast(vectors, "float32")
    width = vectors.shape[-1]
    vectors = ops.reshape(vectors, (-1, width))
    count = ops.shape(vectors)[0]
    # Z Z^T gives the same determinant, and has fewer rows if there are fewer vectors than numbers.
    rows = vectors if isinstance(count, int) and count < width else ops.transpose(vectors)
    products = ops.matmul(rows, ops.transpose(rows))
    scaled = products * (width / precision / ops.cast(count, "float32"))
    factor = ops.linalg.cholesky(ops.eye(products.shape[0], dtype="float32") + scaled)
    return -ops.sum(ops.log(ops.diagonal(factor)))
