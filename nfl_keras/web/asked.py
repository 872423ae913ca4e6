"""Defines what a visitor of the page asks for, checked."""

import contextlib
import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any, Self

from nfl_keras.data.decoding.encoded_bytes import encoded_bytes
from nfl_keras.data.decoding.upright_pixels import upright_pixels
from nfl_keras.errors import UserError
from nfl_keras.web.limits import MAX_ANSWERS, MAX_CONDITIONS, MAX_PHOTOGRAPH

WHOLE = (0.0, 100.0, 0.0, 100.0)
SIDES = ("left", "right", "top", "bottom")


@dataclasses.dataclass(frozen=True)
class Asked:
    """A search that a visitor asks for.

    `read` makes one from what the browser sent, which may be anything.

    Args:
        photograph: bytes, the part of the visitor's photograph to search for, or `None`.
        picked: str, the id of a photograph of the gallery to search from instead, or `None`.
        where: list of str, conditions on the metadata.
        k: int, 1 to 100, answers.
        threshold: float, -1 to 1, the least similarity of a match, or `None`.
    """

    photograph: bytes | None
    picked: str | None
    where: list[str]
    k: int
    threshold: float | None

    @classmethod
    def read(
        cls,
        uploads: pathlib.Path,
        photograph: Any,
        picked: Any,
        edges: Sequence[Any],
        where: Any,
        k: Any,
        threshold: Any,
    ) -> Self:
        """Checks what the browser sent.

        Args:
            uploads: `pathlib.Path`, the folder of the visitors' photographs.
            photograph: str, the path of the visitor's photograph, or empty.
            picked: str, the id of a photograph of the gallery to search from instead, or empty.
            edges: left, right, top and bottom of the part to search for, in percent.
            where: str, conditions, one per line.
            k: number.
            threshold: str, a number, or empty.

        Returns:
            An `Asked`.

        Raises:
            UserError: if something is missing or out of its range, or the photograph cannot be
                used.
        """
        if not isinstance(where, str) or len(where) > MAX_CONDITIONS:
            raise UserError(f"the conditions must be at most {MAX_CONDITIONS} characters.")
        is_picked = isinstance(picked, str) and picked != ""
        if not is_picked and not photograph:
            raise UserError("choose a photograph to search for.")
        return cls(
            None if is_picked else part(read_upload(uploads, photograph), edges),
            picked if is_picked else None,
            [line.strip() for line in where.splitlines() if line.strip()],
            int(_number(k, "the number of answers", 1, MAX_ANSWERS)),
            _threshold(threshold),
        )


def read_upload(uploads: pathlib.Path, photograph: Any) -> bytes:
    """Reads a photograph that a visitor has sent.

    Args:
        uploads: `pathlib.Path`, the folder that it must lie in.
        photograph: str, its path, as the browser says.

    Returns:
        bytes.

    Raises:
        UserError: if there is no such file in the folder, or it is larger than 20 MiB.
    """
    gone = UserError("the photograph is no longer here; choose it again.")
    if not is_within(uploads, photograph):
        raise gone
    try:
        with open(photograph, "rb") as file:
            content = file.read(MAX_PHOTOGRAPH + 1)
    except OSError as error:
        raise gone from error
    if len(content) > MAX_PHOTOGRAPH:
        raise UserError(f"the photograph is larger than {MAX_PHOTOGRAPH // 2**20} MB.")
    return content


def is_within(folder: pathlib.Path, path: Any) -> bool:
    """Tells whether a path, which may be anything, leads to something in a folder."""
    try:
        return pathlib.Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, TypeError):  # a loop of links, a null character, no path
        return False


def part(content: bytes, edges: Sequence[Any]) -> bytes:
    """Cuts out the part of a photograph that lies between edges.

    Args:
        content: bytes of a photograph.
        edges: left, right, top and bottom, in percent of its width and height.

    Returns:
        bytes, those of `content` if the part is all of it.

    Raises:
        UserError: if the edges are out of order, or the photograph cannot be used.
    """
    left, right, top, bottom = checked_edges(edges)
    if (left, right, top, bottom) == WHOLE:
        return content
    pixels = upright_pixels(content, "yours")
    height, width, _ = pixels.shape
    rows = slice(math.floor(top * height / 100), math.ceil(bottom * height / 100))
    columns = slice(math.floor(left * width / 100), math.ceil(right * width / 100))
    return encoded_bytes(pixels[rows, columns])


def checked_edges(edges: Sequence[Any]) -> tuple[float, float, float, float]:
    """Returns left, right, top and bottom of a part as floats in percent.

    Raises:
        UserError: if they are no numbers from 0 to 100, or leave nothing between them.
    """
    left, right, top, bottom = (
        _number(edge, f"the {side} edge", 0, 100) for edge, side in zip(edges, SIDES, strict=True)
    )
    if left >= right or top >= bottom:
        raise UserError("nothing is left of the photograph; move its edges apart.")
    return left, right, top, bottom


def _threshold(text: Any) -> float | None:
    if text == "":
        return None
    with contextlib.suppress(ValueError, TypeError):
        text = float(text)
    return _number(text, "the similarity of a match", -1, 1)


def _number(value: Any, name: str, least: float, most: float) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise UserError(f"{name} must be a number from {least:,} to {most:,}.")
    return float(value)
