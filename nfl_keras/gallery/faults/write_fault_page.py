"""Writes what the searches for faults found as a page."""

import pathlib

from nfl_keras.gallery.faults.catalog import Photograph
from nfl_keras.gallery.faults.duplicates import Duplicates
from nfl_keras.gallery.faults.leaks import Leaks
from nfl_keras.gallery.faults.photograph_groups import PhotographGroup
from nfl_keras.gallery.faults.suspect import Suspect, Suspects
from nfl_keras.report import FaultPhotograph, FaultRow, FaultSection, write_faults
from nfl_keras.typing import Path

_SHOWN = 9  # photographs of a group


def write_fault_page(
    path: Path,
    *found: Duplicates | Leaks | Suspects,
    title: str = "Faults of a catalog",
    summary: str = "",
    rows: int = 50,
) -> pathlib.Path:
    """Writes what the searches for faults found as one HTML file that loads no other.

    Groups with different labels come first. Tables and JSON have all that is not shown.

    Args:
        path: str or path of the file. It is replaced in one step.
        *found: `Duplicates`, `Leaks` or `Suspects`, each a section of the page.
        title: str. The headline. Defaults to `"Faults of a catalog"`.
        summary: str, which photographs were looked at. Defaults to `""`.
        rows: int, groups or suspects that a section shows. Defaults to `50`.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.duplicates import duplicates
    >>> from nfl_keras.gallery.faults.write_fault_page import write_fault_page
    >>> ids = ["photographs/ash/0.jpg", "photographs/elm/0.jpg"]
    >>> vectors = np.ones((2, 1), dtype="float32")
    >>> catalog = Catalog(
    ...     ids, ["ash", "elm"], [0, 1], vectors, lambda position: open(ids[position], "rb").read()
    ... )
    >>> write_fault_page("faults.html", duplicates(catalog)).name
    'faults.html'
    """
    sections = (_section(result, rows) for result in found)
    return write_faults(path, title=title, summary=summary, sections=sections)


def _section(found: Duplicates | Leaks | Suspects, rows: int) -> FaultSection:
    summary = "; ".join(found.summary.splitlines()) + "."
    if isinstance(found, Suspects):
        key = (
            "Each row shows a photograph and the nearest ones, with their cosine similarity to it."
        )
        suspects = map(_suspect_row, found.suspects[:rows])
        return FaultSection("Suspect labels", summary, key, suspects, len(found.suspects))
    heading = "Leaks" if isinstance(found, Leaks) else "Duplicates"
    key = (
        "Each row shows a group, with the cosine similarity of each photograph to the most similar "
        "other one."
    )
    groups = sorted(found.groups, key=lambda group: len(group.labels) < 2)
    return FaultSection(heading, summary, key, map(_group_row, groups[:rows]), len(groups))


def _group_row(group: PhotographGroup) -> FaultRow:
    first, *others = group.members[:_SHOWN]
    shown = [_shown(first.photograph)]
    for member in others:
        same = "the same file" if member.content == first.content else f"{member.similarity:.3f}"
        shown.append(_shown(member.photograph, same))
    left_out = len(group.members) - len(shown)
    return FaultRow(shown, f"and {left_out:,} more" if left_out else "")


def _suspect_row(suspect: Suspect) -> FaultRow:
    neighbors = [_shown(near, f"{similarity:.3f}") for near, similarity in suspect.neighbors]
    return FaultRow(
        [_shown(suspect.photograph), *neighbors],
        f"{suspect.suggested}? (margin {suspect.margin:.3f})",
    )


def _shown(found: Photograph, similarity: str = "") -> FaultPhotograph:
    note = ", ".join(filter(None, [found.part, similarity]))
    return FaultPhotograph(found.read, found.id, found.label or "", note)
