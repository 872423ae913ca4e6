"""Defines the page of a search: each query beside the photographs that it found."""

import pathlib
from collections.abc import Callable, Sequence

from nfl_keras.errors import UserError
from nfl_keras.gallery.matches import Matches
from nfl_keras.report import Neighbor, RetrievalRow, write_search
from nfl_keras.typing import Path

_MOST = 200  # queries on a page


def write_search_page(
    path: Path,
    matches: Matches,
    queries: Sequence[bytes],
    read: Callable[[str], bytes],
    count: int,
) -> pathlib.Path:
    """Writes the answers of a search as one HTML file.

    Args:
        path: str or path of the file.
        matches: `Matches`.
        queries: sequence of bytes, the photograph of each query. One that has none is `b""`.
        read: function from an id to the bytes of that photograph. One that is gone is shown as an
            empty tile.
        count: int, photographs in the gallery.

    Returns:
        The `pathlib.Path` written.

    Raises:
        UserError: if there are more than 200 queries, or the file cannot be written.
    """
    if len(matches) > _MOST:
        raise UserError(f"a page shows at most {_MOST} queries, not {len(matches):,}.")

    def photograph(name: str) -> bytes:
        try:
            return read(name)
        except UserError:
            return b""

    rows = []
    for number, (name, found) in enumerate(zip(matches.queries, matches, strict=True)):
        neighbors = [
            Neighbor(
                photograph(match.id),
                match.label or match.id,
                match.similarity,
                match.is_match,
            )
            for match in found
        ]
        best = found[0].is_match if found else None
        note = "nothing found" if not found else "no match" if best is False else ""
        rows.append(RetrievalRow(queries[number], pathlib.PurePath(name).name, neighbors, note))
    summary = f"{len(matches):,} queries in a gallery of {count:,} photographs."
    return write_search(
        path, title="Search", summary=summary, rows=rows, threshold=matches.threshold
    )
