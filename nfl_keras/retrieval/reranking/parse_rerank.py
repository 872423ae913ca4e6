"""Defines how a re-ranking is written as text."""

from nfl_keras.errors import UserError
from nfl_keras.retrieval.reranking.alpha_query_expansion import AlphaQueryExpansion
from nfl_keras.retrieval.reranking.k_reciprocal import KReciprocal
from nfl_keras.retrieval.reranking.rerank import Rerank

_KINDS: dict[str, type[Rerank]] = {kind.name: kind for kind in (KReciprocal, AlphaQueryExpansion)}


def parse_rerank(rerank: Rerank | str) -> Rerank:
    """Reads a re-ranking and its settings.

    Args:
        rerank: str such as `"k-reciprocal:k1=20,k2=6,weight=0.3"` or `"alpha-expansion:n=5"`.
            Settings that are not given have their defaults. Or a `Rerank`, which is returned.

    Returns:
        `KReciprocal` or `AlphaQueryExpansion`.

    Raises:
        UserError: if the text cannot be read, or a setting is out of its range.

    Example:

    >>> from nfl_keras.retrieval.reranking.parse_rerank import parse_rerank
    >>> parse_rerank("k-reciprocal:k1=10,weight=0.5")
    KReciprocal(k1=10, k2=6, weight=0.5, shortlist=100)
    >>> str(parse_rerank("alpha-expansion"))
    'alpha-expansion:n=2,alpha=1'
    """
    if isinstance(rerank, Rerank):
        return rerank
    name, _, settings = str(rerank).partition(":")
    if name not in _KINDS:
        raise UserError(
            f"there is no re-ranking {name!r}; give {' or '.join(_KINDS)}, perhaps with settings, "
            f"such as {KReciprocal()}."
        )
    kind = _KINDS[name]
    given = kind().settings()
    for setting in filter(None, settings.split(",")):
        key, _, number = setting.partition("=")
        try:
            given[key] = type(given[key])(number)
        except (KeyError, ValueError):
            raise UserError(
                f"{setting!r} is no setting of the re-ranking {name}; write such as {kind()}."
            ) from None
    return kind(**given)
