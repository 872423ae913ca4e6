"""Photographs, or whole datasets, that are not where they were looked for."""

import dataclasses
import shlex
from collections.abc import Sequence

from nfl_keras.data.sources.tfds_builder import find_prepared
from nfl_keras.data.sources.tfds_dataset import tfds_dataset
from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Whereabouts:
    """Where a named dataset is to be had, and how its files lie.

    Args:
        name: str, of the dataset.
        places: sequence of str, each a line on where to get it.
        tree: str, the files expected in `data_dir`, a line each.
        tfds_names: sequence of str, the names under which TFDS prepares it. Defaults to none.
    """

    name: str
    places: Sequence[str]
    tree: str
    tfds_names: Sequence[str] = ()

    def from_tfds(self, data_dir):
        """All photographs, where TFDS has prepared the dataset.

        Args:
            data_dir: str, `pathlib.Path` or `None`, see `nfl_keras.data.sources.prepared`.

        Returns:
            An `ImageSet`.

        Raises:
            UserError: `not_found`, if TFDS has not.
        """
        name = find_prepared(self.tfds_names, data_dir)
        if name is None:
            raise self.not_found(data_dir)
        return tfds_dataset(name, data_dir)

    def not_found(self, data_dir, reason=None):
        """The error for a dataset of which nothing is there.

        Args:
            data_dir: str, `pathlib.Path` or `None`, where it was looked for.
            reason: str, what went wrong. Defaults to `None`: it is not in `data_dir`.

        Returns:
            A `UserError`: a line, then the places, the files expected and the command to run.
        """
        folder = "FOLDER" if data_dir is None else shlex.quote(str(data_dir))
        if reason is None:
            reason = "is not found, no data_dir being given"
            if data_dir is not None:
                reason = f"is not found in {str(data_dir)!r}"
        lines = [
            f"{self.name} {reason}. It is to be had from:",
            *(f"  {place}" for place in self.places),
            f"Expected in {folder}:",
            *(f"  {line}" for line in self.tree.splitlines()),
            "Then run again, as in:",
            f"  python -m nfl_keras.train --dataset {self.name} --data-dir {folder}",
        ]
        return UserError("\n".join(lines))
