"""Photographs beside each other that show a fault of a catalog."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from nfl_keras.report.tile import Tile, draw_tile


@dataclasses.dataclass(frozen=True)
class FaultPhotograph:
    """One photograph of a row.

    Args:
        read: function without arguments to the encoded photograph (JPEG, PNG, ...). If it raises
            an `OSError`, the photograph is shown as one that cannot be read.
        name: str, e.g. its path.
        class_name: str, its label; `""` without one.
        note: str, e.g. how similar it is. Defaults to `""`.
    """

    read: Callable[[], bytes]
    name: str
    class_name: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class FaultRow:
    """Photographs that show one fault.

    Args:
        photographs: sequence of `FaultPhotograph`. The others are compared with the first.
        note: str, what the fault is. Defaults to `""`.
    """

    photographs: Sequence[FaultPhotograph]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class FaultSection:
    """The faults of one kind.

    Args:
        heading: str.
        summary: str, what was looked at and how much was found.
        key: str, a sentence on what the rows show. The colors are explained after it.
        rows: iterable of `FaultRow`, shown in their order.
        num_rows: int, how many rows there are with those left out.
    """

    heading: str
    summary: str
    key: str
    rows: Iterable[FaultRow]
    num_rows: int


@dataclasses.dataclass(frozen=True)
class DrawnFault:
    """One row on the page.

    Args:
        note: str.
        photographs: list of `(FaultPhotograph, Tile)`.
    """

    note: str
    photographs: list[tuple[FaultPhotograph, Tile]]


def draw_fault(row: FaultRow) -> DrawnFault:
    """Shrinks the photographs of a row to tiles.

    Args:
        row: `FaultRow`.

    Returns:
        A `DrawnFault`.
    """
    return DrawnFault(row.note, [(shown, _tile(shown)) for shown in row.photographs])


def _tile(shown: FaultPhotograph) -> Tile:
    try:
        encoded = shown.read()
    except OSError:  # It was there when the catalog was read.
        encoded = b""
    return draw_tile(encoded, shown.class_name)
