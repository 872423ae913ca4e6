"""Defines where a named dataset can be found, and the message that says so."""

import dataclasses
import os
import shlex
from collections.abc import Sequence

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.find_files import first_photograph
from nfl_keras.data.sources.tfds_builder import find_prepared
from nfl_keras.data.sources.tfds_dataset import tfds_dataset
from nfl_keras.errors import UserError
from nfl_keras.typing import Path


@dataclasses.dataclass(frozen=True)
class Whereabouts:
    """The places where a named dataset can be found, and the files that it consists of.

    Args:
        name: str, the dataset's name.
        places: sequence of str, one line per place to get it from.
        tree: str, the files expected in `data_dir`, one per line.
        tfds_names: sequence of str, the names under which TFDS prepares it. Defaults to `()`.
    """

    name: str
    places: Sequence[str]
    tree: str
    tfds_names: Sequence[str] = ()

    def from_tfds(self, data_dir: Path | None, expected: Path | None = None) -> ImageSet:
        """Returns all photographs of the dataset that TFDS has prepared.

        Args:
            data_dir: str, path or `None`, see `tfds_dataset`.
            expected: str or path, see `not_found`. Defaults to `None`.

        Returns:
            An `ImageSet`.

        Raises:
            UserError: if TFDS has not prepared the dataset, see `not_found`.
        """
        name = find_prepared(self.tfds_names, data_dir)
        if name is None:
            raise self.not_found(data_dir, expected)
        return tfds_dataset(name, data_dir)

    def not_found(
        self, data_dir: Path | None, expected: Path | None = None, reason: str | None = None
    ) -> UserError:
        """Returns the error for a dataset of which no file exists.

        Args:
            data_dir: str, path or `None`, the folder that was searched.
            expected: str or path of the first photograph that the dataset lists. Defaults to
                `None`: no list of it was found.
            reason: str, what went wrong. Defaults to `None`: it is not in `data_dir`.

        Returns:
            A `UserError` with the reason, the first photograph expected and the first found, the
            places, the expected files and the command to run.
        """
        folder = "FOLDER" if data_dir is None else shlex.quote(str(data_dir))
        if reason is None:
            reason = "is not found, since no data_dir is given"
            if data_dir is not None:
                reason = f"is not found in {str(data_dir)!r}{_what_is_there(data_dir, expected)}"
        lines = [
            f"{self.name} {reason}. Get it from one of:",
            *(f"  {place}" for place in self.places),
            f"Expected in {folder}:",
            *(f"  {line}" for line in self.tree.splitlines()),
            "Then run again, for example:",
            f"  python -m nfl_keras.train --dataset {self.name} --data-dir {folder}",
        ]
        return UserError("\n".join(lines))


def _what_is_there(data_dir: Path, expected: Path | None) -> str:
    if not os.path.isdir(data_dir):
        return ", which is no folder"
    found = first_photograph(os.path.dirname(expected)) if expected else None
    found = found or first_photograph(data_dir)
    if expected:
        there = "no photograph" if found is None else repr(found)
        return f": its first photograph should be {str(expected)!r}, and there is {there}"
    return "" if found is None else f" (its first photograph is {found!r})"
