"""The records of TFRecord files, by position."""

import os
import struct

import numpy as np

from nfl_keras.errors import UserError

_HEAD = struct.Struct("<Q4x")  # a record's length, and the checksum of the length
_FOOT = 4  # the checksum of the data


class TFRecords:
    """Random access to the records of TFRecord shards.

    One pass over the records' heads notes where each record lies: two int64 and a shard's
    number per record are held, and no data. Reads share nothing, so that threads may read at
    once. Checksums are not computed.

    Args:
        paths: sequence of str or `pathlib.Path`, the shards in order.

    Raises:
        UserError: if a shard is missing or ends within a record.

    Example:

    >>> records = TFRecords(["flowers-train.tfrecord-00000-of-00001"])
    >>> example = tf.train.Example.FromString(records[0])
    """

    def __init__(self, paths):
        self._paths = [os.fspath(path) for path in paths]
        places = [_places(path) for path in self._paths]
        self._shards = np.repeat(np.arange(len(places)), [len(place) for place in places])
        self._places = np.concatenate([np.zeros((0, 2), np.int64), *places])

    def __len__(self):
        return len(self._places)

    def __getitem__(self, position):
        offset, length = self._places[position]
        with open(self._paths[self._shards[position]], "rb") as file:
            file.seek(offset)
            return file.read(length)


def _places(path):
    """int64 `[N, 2]`: offset and length in bytes of each record's data."""
    places = []
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
        raise UserError(f"the shard {path!r} ends within a record; prepare the dataset anew.")
    return np.array(places, np.int64).reshape(-1, 2)
