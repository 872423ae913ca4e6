"""Defines the groups of photographs that show the same."""

import dataclasses
import json

import pyarrow as pa

from nfl_keras.gallery.faults.catalog import Photograph
from nfl_keras.gallery.faults.text_table import text_table

_COLUMNS = {
    "group": pa.int64(),
    "id": pa.string(),
    "label": pa.string(),
    "part": pa.string(),
    "content": pa.int64(),
    "similarity": pa.float64(),
}


@dataclasses.dataclass(frozen=True)
class Member:
    """One photograph of a group.

    Args:
        photograph: `Photograph`.
        content: int. Members of a group with the same number are the same file, byte by byte.
            The first member's number is 1.
        similarity: float, to the most similar other member; 1 for the same content.
    """

    photograph: Photograph
    content: int
    similarity: float


@dataclasses.dataclass(frozen=True)
class PhotographGroup:
    """Photographs that show the same.

    Args:
        members: tuple of `Member`, two or more, in the catalog's order.
    """

    members: tuple[Member, ...]

    @property
    def similarity(self) -> float:
        """Returns the least similarity of a member to its most similar other member."""
        return min(member.similarity for member in self.members)

    @property
    def identical(self) -> bool:
        """Tells whether all members have the same content."""
        return all(member.content == 1 for member in self.members)

    @property
    def labels(self) -> list[str]:
        """Returns the different labels of the members, in their order."""
        labels = (member.photograph.label for member in self.members)
        return list(dict.fromkeys(label for label in labels if label is not None))


@dataclasses.dataclass(frozen=True, repr=False)
class PhotographGroups:
    """Groups of photographs that show the same. It prints as a table.

    Args:
        num_photographs: int, how many were compared.
        threshold: float, the least cosine similarity that connects two photographs.
        groups: tuple of `PhotographGroup`: those of identical files first, then the most similar,
            then in the catalog's order.
    """

    num_photographs: int
    threshold: float
    groups: tuple[PhotographGroup, ...]

    def to_arrow(self) -> pa.Table:
        """Returns a table with one row for each photograph of a group.

        Returns:
            `pyarrow.Table` with the columns `group` (int64, from 1), `id`, `label`, `part`
            (string), `content` (int64) and `similarity` (float64), see `Member`.
        """
        rows = [
            (number, found.id, found.label, found.part, member.content, member.similarity)
            for number, group in enumerate(self.groups, 1)
            for member in group.members
            for found in [member.photograph]
        ]
        columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
        return pa.table(
            {
                name: pa.array(column, kind)
                for (name, kind), column in zip(_COLUMNS.items(), columns, strict=True)
            }
        )

    def to_json(self) -> str:
        """Returns JSON text: what was compared, and `to_arrow`'s rows as a list."""
        rows = self.to_arrow().to_pylist()
        about = {"num_photographs": self.num_photographs, "threshold": self.threshold}
        return json.dumps({**about, "photographs": rows}, indent=2, allow_nan=False)

    @property
    def summary(self) -> str:
        """Returns how much was compared and found, in two lines."""
        identical = sum(group.identical for group in self.groups)
        differing = sum(len(group.labels) > 1 for group in self.groups)
        return (
            f"{sum(len(group.members) for group in self.groups):,} of {self.num_photographs:,} "
            f"photographs are in groups, at similarity {self.threshold:g} or more\n"
            f"groups: {len(self.groups):,}, of identical files: {identical:,}, "
            f"with different labels: {differing:,}"
        )

    def __repr__(self) -> str:
        table = self.to_arrow().to_pylist()
        columns = [name for name in _COLUMNS if name != "part" or any(row["part"] for row in table)]
        cells = [[_cell(row[name]) for name in columns] for row in table]
        return text_table(self.summary, columns, cells)


def _cell(value: str | float | int | None) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
