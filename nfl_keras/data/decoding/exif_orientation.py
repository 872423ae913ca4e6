"""Defines how the orientation is found in EXIF. `nfl_keras.export.exif` is the same in a graph."""

import re
import struct

EXIF = b"Exif\0\0"
ORIENTATION = 0x0112
# The first two letters say the order of bytes. Pillow reads the last one as TIFF, not as BigTIFF.
MAGICS = b"II*\0", b"II\0*", b"MM\0*", b"MM*\0", b"MM\0+"
# From a type of TIFF to how one value is packed. A rational is two numbers.
TYPES = dict(enumerate(("s", "s", "H", "I", "II", "b", "s", "h", "i", "ii", "f", "d", "I"), 1))
TYPES[16] = "Q"


def exif_orientation(exif: bytes) -> int:
    r"""Reads how a photograph must be turned.

    The result is Pillow's, except that no other entry of EXIF has a say.

    Args:
        exif: bytes of EXIF. The prefix `Exif\0\0` may stand before it, once or twice.

    Returns:
        int from 1 to 8; 1 where EXIF is damaged or gives no valid orientation.

    Example:

    >>> from nfl_keras.data.decoding.exif_orientation import exif_orientation
    >>> from PIL import Image
    >>> exif = Image.Exif()
    >>> exif[0x0112] = 6
    >>> exif_orientation(exif.tobytes())
    6
    """
    exif = re.sub(b"^(Exif\0\0){1,2}", b"", exif)
    if exif[:4] not in MAGICS:
        return 1
    order = "<" if exif[:1] == b"I" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, count, offset = struct.unpack_from(f"{order}HHII", exif, place)
            if tag == ORIENTATION and count and kind in TYPES:
                packed = order + TYPES[kind]
                size = count * struct.calcsize(packed)
                at = place + 8 if size <= 4 else offset
                if at + size <= len(exif):
                    return _in_range(*struct.unpack_from(packed, exif, at))
    except struct.error:  # The directory ends too early.
        pass
    return 1


def _in_range(value, divisor=1):
    value = value / divisor if divisor not in (0, 1) else value
    return int(value) if divisor and value in range(1, 9) else 1
