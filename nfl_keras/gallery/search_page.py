"""Defines the page of a search: each query beside the photographs that it found."""

import pathlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from nfl_keras.errors import UserError
from nfl_keras.gallery.matches import Match, Matches
from nfl_keras.progress import Progress
from nfl_keras.report import Neighbor, RetrievalRow, write_search
from nfl_keras.retrieval import Explanation
from nfl_keras.typing import Path

_MOST = 200  # queries on a page
_EXPLAINED = 3  # answers of each query

Explain: TypeAlias = Callable[[bytes, list[bytes]], list[Explanation]]


def write_search_page(
    path: Path,
    matches: Matches,
    queries: Sequence[bytes],
    read: Callable[[str], bytes],
    count: int,
    explain: Explain | None = None,
) -> pathlib.Path:
    """Writes the answers of a search as one HTML file.

    Args:
        path: str or path of the file.
        matches: `Matches`.
        queries: sequence of bytes, the photograph of each query. One that has none is `b""`.
        read: function from an id to the bytes of that photograph. One that is gone is shown as an
            empty tile.
        count: int, photographs in the gallery.
        explain: function from a query and answers to the `Explanation` of each, see
            `nfl.retrieval.explain`. The page has those of the first three answers of each query.
            Defaults to `None`: none.

    Returns:
        The `pathlib.Path` written.

    Raises:
        UserError: if there are more than 200 queries, or the file cannot be written.
    """
    if len(matches) > _MOST:
        raise UserError(f"a page shows at most {_MOST} queries, not {len(matches):,}.")

    rows = []
    with Progress(len(matches), "queries shown") as progress:
        for query, name, found in zip(queries, matches.queries, matches, strict=False):
            images = [_photograph(read, match.id) for match in found]
            rows.append(_row(query, pathlib.PurePath(name).name, found, images, explain))
            progress.add(1)
    summary = f"{len(matches):,} queries in a gallery of {count:,} photographs."
    return write_search(
        path, title="Search", summary=summary, rows=rows, threshold=matches.threshold
    )


def _photograph(read: Callable[[str], bytes], name: str) -> bytes:
    try:
        return read(name)
    except UserError:
        return b""


def _row(
    query: bytes, name: str, found: list[Match], images: list[bytes], explain: Explain | None
) -> RetrievalRow:
    there = [rank for rank, image in enumerate(images[:_EXPLAINED]) if image and query]
    explained: dict[int, Explanation] = {}
    if explain is not None and there:
        explained = dict(zip(there, explain(query, [images[r] for r in there]), strict=True))
    neighbors = [
        Neighbor(
            image,
            match.label or match.id,
            match.similarity,
            match.is_match,
            explained.get(rank),
        )
        for rank, (image, match) in enumerate(zip(images, found, strict=True))
    ]
    none = all(match.is_match is False for match in found)
    note = "nothing found" if not found else "no match" if none else ""
    return RetrievalRow(query, name, neighbors, note)
