"""EXIF as cameras, phones and editors write it, and as they should not."""

import struct

_MAGICS = [b"II*\0"] * 6 + [b"MM\0*"] * 6 + [b"II\0*", b"MM*\0", b"MM\0+", b"II+\0", b"II* "]
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_ORIENTATION = 0x0112


def odd_exif(random, words):
    """Draws the bytes of EXIF behind its prefix, mostly with an orientation that counts."""
    magic = random.choice(_MAGICS)
    order = "<" if magic[:1] == b"I" else ">"
    words.append(f"EXIF {magic!r}")
    before, after = (_entries(random, random.choice([0, 0, 1, 5, 70])) for _ in range(2))
    entries = before + _orientations(random, words) + after
    if len(entries) > 64:
        words.append("EXIF of more than 64 entries")
    start = random.choice([8] * 8 + [9, 30, 0, 4, 2**32 - 1])
    count = len(entries) + random.choice([0] * 12 + [1, -1, 1000])
    at = max(start, 8) if start < 1000 else 8
    directory, data = b"", b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, number, values in entries:
        packed = b"".join(_packed(order, kind, value) for value in values)
        if len(packed) > 4:
            offset = behind + len(data) + random.choice([0] * 15 + [1, 10**6])
            data, packed = data + packed, struct.pack(f"{order}I", offset)
        directory += struct.pack(f"{order}HHI", tag, kind, number) + packed.ljust(4, b"\0")
    following = random.choice([0, 0, behind, 7, 2**32 - 1])
    exif = (magic + struct.pack(f"{order}I", start)).ljust(at, b"\0")
    exif += struct.pack(f"{order}H", count % 2**16) + directory
    exif += struct.pack(f"{order}I", following) + data
    if not random.randrange(15):
        words.append("EXIF cut off")
        exif = exif[: random.randrange(len(exif) + 1)]
    return exif


def _orientations(random, words):
    entries = []
    for _ in range(random.choice([1] * 10 + [0, 2, 2])):
        value = random.choice([*range(1, 9)] * 3 + [0, 9, 700])
        kind = random.choice([3] * 14 + list(_SIZES) + [0, 14, 99])
        number = random.choice([1] * 12 + [0, 2, 3, 2**31])
        if kind != 3 or number != 1:
            words.append(
                f"orientation of type {kind}" if kind != 3 else "orientation of wrong count"
            )
        entries.append((_ORIENTATION, kind, number, [value] * min(number, 3)))
    return entries


def _entries(random, number):
    entries = []
    for _ in range(number):
        tag = random.choice([0x0100, 0x010F, 0x0131, 0x0132, 0x011A, 0x8825, 0x8769, 0xC4A5, 5])
        kind = random.choice([*_SIZES, 2, 2, 3, 3, 4, 4, 0, 99])
        length = random.choice([1, 1, 1, 2, 3, 9])
        entries.append((tag, kind, random.choice([length] * 12 + [0, 10**6]), [7] * length))
    return entries


def _packed(order, kind, value):
    if kind in (5, 10):
        return struct.pack(f"{order}II", value, 1)
    code = {11: "f", 12: "d", 16: "Q"}.get(kind) or {1: "B", 2: "H"}.get(_SIZES.get(kind), "I")
    return struct.pack(order + code, value % 256 if code == "B" else value)
