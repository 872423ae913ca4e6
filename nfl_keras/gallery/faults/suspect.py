"""Defines photographs whose labels may be wrong."""

import dataclasses
import json

import pyarrow as pa

from nfl_keras.gallery.faults.catalog import Photograph
from nfl_keras.gallery.faults.text_table import text_table


@dataclasses.dataclass(frozen=True)
class Suspect:
    """One photograph whose label may be wrong.

    Args:
        photograph: `Photograph`.
        suggested: str, the label on which its nearest photographs agree.
        similarity: float, the mean cosine similarity to them.
        margin: float, how much `similarity` exceeds the similarity to the nearest photograph of
            its own label. It says how strongly the suggestion stands.
        neighbors: tuple of `(Photograph, float)`, the nearest photographs and their similarity.
    """

    photograph: Photograph
    suggested: str
    similarity: float
    margin: float
    neighbors: tuple[tuple[Photograph, float], ...]


@dataclasses.dataclass(frozen=True, repr=False)
class Suspects:
    """Photographs whose labels may be wrong. It prints as a table.

    Args:
        num_photographs: int, how many have a label that another photograph also has.
        k: int, the number of nearest photographs that must agree.
        suspects: tuple of `Suspect`, that of the largest margin first.
    """

    num_photographs: int
    k: int
    suspects: tuple[Suspect, ...]

    def to_arrow(self) -> pa.Table:
        """Returns a table with one row for each suspect.

        Returns:
            `pyarrow.Table` with the columns `id`, `label`, `suggested` (string), `margin`,
            `similarity` (float64) and `neighbors` (list of string: their ids).
        """
        found = self.suspects
        names = [[near.id for near, _ in suspect.neighbors] for suspect in found]
        return pa.table(
            {
                "id": pa.array([suspect.photograph.id for suspect in found], pa.string()),
                "label": pa.array([suspect.photograph.label for suspect in found], pa.string()),
                "suggested": pa.array([suspect.suggested for suspect in found], pa.string()),
                "margin": pa.array([suspect.margin for suspect in found], pa.float64()),
                "similarity": pa.array([suspect.similarity for suspect in found], pa.float64()),
                "neighbors": pa.array(names, pa.list_(pa.string())),
            }
        )

    def to_json(self) -> str:
        """Returns JSON text: what was compared, and `to_arrow`'s rows as a list."""
        rows = self.to_arrow().to_pylist()
        about = {"num_photographs": self.num_photographs, "k": self.k}
        return json.dumps({**about, "suspects": rows}, indent=2, allow_nan=False)

    @property
    def summary(self) -> str:
        """Returns how much was compared and found, in a line."""
        return (
            f"{len(self.suspects):,} of {self.num_photographs:,} labels differ from the one label "
            f"of all {self.k} nearest photographs"
        )

    def __repr__(self) -> str:
        columns = ["margin", "label", "suggested", "id"]
        rows = [
            [f"{suspect.margin:.4f}", found.label or "", suspect.suggested, found.id]
            for suspect in self.suspects
            for found in [suspect.photograph]
        ]
        return text_table(self.summary, columns, rows)
