"""Defines what a gallery's folder says of itself."""

import dataclasses
import json
import pathlib
from typing import Any

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a gallery's folder holds, as `manifest.json` says it.

    Args:
        model: str, the name of the model that embedded the photographs.
        fingerprint: list of lists of floats, see `nfl_keras.gallery.probe`.
        crops: 3 or 1, crops of each photograph.
        dtype: `"float32"` or `"float16"`, of the stored vectors.
        images: str, the folder in which the ids are paths, or `None`.
        count: int, photographs.
        left_out: int, photographs that cannot be used.
        commit: int, how often the gallery has been written. It is part of the files' names.
        calibration: dict, what `Gallery.calibrate` learned, or `None`.
        format: int, the version of this layout.
    """

    model: str
    fingerprint: list[list[float]]
    crops: int
    dtype: str
    images: str | None
    count: int = 0
    left_out: int = 0
    commit: int = 0
    calibration: dict[str, Any] | None = None
    format: int = _FORMAT

    @property
    def dimension(self) -> int:
        """int, D of the vectors."""
        return len(self.fingerprint[0])


def read_manifest(path: pathlib.Path) -> Manifest:
    """Reads a manifest.

    Raises:
        UserError: if there is none, or it is not one of this version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{str(path.parent)!r} is not a gallery ({MANIFEST}: {error.strerror}); make one "
            f"with nfl-keras index."
        ) from error
    return parse_manifest(text, str(path))


def parse_manifest(text: str, name: str) -> Manifest:
    """Parses the JSON of a manifest.

    Args:
        text: str.
        name: str, where it is from, for messages.

    Returns:
        The `Manifest`.

    Raises:
        UserError: if it is not one of this version.
    """
    try:
        found = json.loads(text)
        if found.get("format") != _FORMAT:
            raise ValueError(f"format {found.get('format')!r}, not {_FORMAT}")
        return Manifest(**found)
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{name!r} is not what nfl-keras index wrote ({error}); index anew into another "
            f"gallery."
        ) from error


def manifest_text(manifest: Manifest) -> str:
    """Returns the JSON of a manifest."""
    return json.dumps(dataclasses.asdict(manifest))


def write_manifest(path: pathlib.Path, manifest: Manifest) -> None:
    """Writes a manifest, whole or not at all."""
    write_whole(path, manifest_text(manifest) + "\n")
