"""Defines random access to the records of TFRecord files."""

import os
import struct
from collections.abc import Sequence

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.typing import Path

_HEAD = struct.Struct("<Q4x")  # A record's length, and the checksum of the length.
_FOOT = 4  # The checksum of the data.


class TFRecords:
    """Random access to the records of TFRecord shards.

    One pass over the records' heads notes where each record lies. It keeps two int64 and the
    shard's number per record, and no data. Several threads may read at the same time. Checksums
    are not verified.

    Args:
        paths: sequence of str or path, the shards in order.

    Raises:
        UserError: if a shard is missing or ends within a record.

    Example:

    >>> from nfl_keras.data.sources.tfrecords import TFRecords
    >>> with tf.io.TFRecordWriter("flowers.tfrecord") as file:
    ...     file.write(b"rose")
    >>> TFRecords(["flowers.tfrecord"])[0]
    b'rose'
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [os.fspath(path) for path in paths]
        places = [_places(path) for path in self._paths]
        self._shards = np.repeat(np.arange(len(places)), [len(place) for place in places])
        self._places = np.concatenate([np.zeros((0, 2), np.int64), *places])

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: int) -> bytes:
        offset, length = self._places[position]
        with open(self._paths[self._shards[position]], "rb") as file:
            file.seek(offset)
            return file.read(length)


def _places(path: str) -> np.ndarray:
    """Returns the offset and length in bytes of each record's data, int64 `[N, 2]`."""
    places: list[tuple[int, int]] = []
    try:
        offset, size = 0, os.path.getsize(path)
        with open(path, "rb") as file:
            while offset < size:
                file.seek(offset)
                (length,) = _HEAD.unpack(file.read(_HEAD.size))
                places.append((offset + _HEAD.size, length))
                offset += _HEAD.size + length + _FOOT
    except OSError as error:
        raise UserError(f"the shard {path!r} cannot be read ({error.strerror}).") from error
    except struct.error:
        offset = size + 1
    if offset > size:
        raise UserError(f"the shard {path!r} ends within a record; prepare the dataset again.")
    return np.array(places, np.int64).reshape(-1, 2)
