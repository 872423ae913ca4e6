"""PNG files in every color type, with the chunks that encoders add, whole or odd."""

import struct
import zlib

import numpy as np

from odd_photographs.exif import odd_exif

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First row, first column, and steps, of each pass of an interlaced file.
_PASSES = [
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)
]  # fmt: skip
_BOMB = zlib.compress(bytes(2**21))
_EXTRAS = {
    b"gAMA": [struct.pack(">I", 45455), b"", struct.pack(">I", 0), b"abc"],
    b"cHRM": [struct.pack(">8I", *range(30000, 30008)), bytes(32), b"x"],
    b"sRGB": [b"\0", b"\x09", b""],
    b"iCCP": [b"p\0\0" + zlib.compress(b"profile"), b"p\0\0broken", b"", b"p\0\1x"],
    b"tEXt": [b"Comment\0rose", b"", b"no end", b"\0", b"Comment\0" + bytes(5000)],
    b"zTXt": [b"k\0\0" + zlib.compress(b"a rose"), b"k\0\0" + _BOMB, b"k\0\0x", b"k"],
    b"iTXt": [b"k\0\0\0en\0k\0rose", b"k\0\1\0\0\0" + _BOMB, b"k\0\1", b""],
    b"bKGD": [b"\0", b"\0\1", b"\0\1\0\1\0\1", b""],
    b"pHYs": [struct.pack(">IIB", 2835, 2835, 1), b"", bytes(9), b"abc"],
    b"sBIT": [b"\x08\x08\x08", b"\x08", b"", b"\x63"],
    b"sPLT": [b"p\0\x08" + bytes(6), b"x", b""],
    b"hIST": [bytes(2), bytes(32), b""],
    b"tIME": [struct.pack(">HBBBBB", 2024, 2, 31, 1, 1, 1), b"", bytes(7)],
    b"cICP": [b"\1\x0d\0\1", b""],
    b"acTL": [struct.pack(">II", 1, 0), struct.pack(">II", 0, 0), b""],
    b"prVt": [b"private", b""],
    b"oFFs": [bytes(9), b""],
    b"vpAg": [bytes(9)],
    b"CgBX": [b"\0\0\0\0"],
}  # fmt: skip


def odd_png(random, picture, words):
    """Draws a PNG file by the letter of its specification, with odd chunks around the pixels."""
    color = random.choice([*_CHANNELS, 2, 2])
    depth = random.choice(_DEPTHS[color])
    interlaced = int(random.random() < 0.3)
    words += [f"color {color} of {depth} bits", *(["interlaced"] if interlaced else [])]
    width, height = picture.size
    values = _values(random, picture, color, depth)
    rows = b""
    for y, x, down, across in _PASSES if interlaced else [(0, 0, 1, 1)]:
        part = values[y::down, x::across]
        rows += _filtered(random, part, depth) if part.size else b""
    wbits = random.choice([15] * 6 + [9, 10])
    packer = zlib.compressobj(random.randrange(10), zlib.DEFLATED, wbits)
    pixels = packer.compress(rows) + packer.flush()
    if not random.randrange(10):
        words.append("bytes behind the pixels")
        pixels += bytes(5)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    ahead, between, behind = (_extras(random, words) for _ in range(3))
    palette = []
    if color == 3 or (color in (2, 6) and not random.randrange(8)):
        words.append("a palette")
        number = 2**depth if color == 3 else random.choice([1, 5, 256])
        palette = [(b"PLTE", np.random.default_rng(color).bytes(3 * number))]
    if color in (0, 2, 3) and not random.randrange(3):
        words.append("tRNS")
        size = {0: 2, 2: 6, 3: random.randrange(2**depth + 1)}[color]
        between.insert(0, (b"tRNS", bytes(range(size))))
    if random.random() < 0.5:
        random.choice([ahead, between, between, behind]).append((b"eXIf", _exif(random, words)))
    chunks = [(b"IHDR", header), *ahead, *palette, *between]
    chunks += [(b"IDAT", part) for part in _parts(random, pixels, words)] + behind
    chunks += [] if not random.randrange(12) else [(b"IEND", b"")]
    out = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(random, *chunk, words) for chunk in chunks)
    if not random.randrange(8):
        words.append("bytes behind the end")
        out += random.choice([b"abc", bytes(100), out])
    return out


def _values(random, picture, color, depth):
    """Numbers `[H, W, channels]` of a smooth picture, with noise for transparency."""
    pixels = np.asarray(picture, np.uint32)
    alpha = np.random.default_rng(random.getrandbits(32)).integers(0, 256, (*pixels.shape[:2], 1))
    colors = pixels if color in (2, 6) else pixels[..., :1]
    values = np.concatenate([colors, alpha], axis=-1) if color in (4, 6) else colors
    return values * 257 if depth == 16 else values >> (8 - depth)


def _filtered(random, values, depth):
    height, _, channels = values.shape
    if depth == 16:
        rows = values.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = values.astype(np.uint8).reshape(height, -1)
    else:
        bits = (values[..., 0, None] >> np.arange(depth)[::-1]) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    step, before, out = max(1, channels * depth // 8), np.zeros_like(rows[0]), b""
    for row in rows:
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]])[: len(row)]
        way = random.randrange(4)
        mean = (left.astype(int) + before) // 2
        guess = [0, left, before, mean.astype(np.uint8)][way]
        out, before = out + bytes([way]) + (row - guess).tobytes(), row
    return out


def _parts(random, pixels, words):
    number = random.choice([1, 1, 2, 5])
    places = sorted(random.randrange(len(pixels) + 1) for _ in range(number - 1))
    if number > 1:
        words.append("several IDAT")
    parts = [pixels[a:b] for a, b in zip([0, *places], [*places, len(pixels)], strict=True)]
    if not random.randrange(5):
        words.append("an empty IDAT")
        parts.insert(random.randrange(len(parts) + 1), b"")
    return parts


def _extras(random, words):
    chunks = []
    for _ in range(random.choice([0, 0, 1, 3])):
        kind = random.choice(list(_EXTRAS))
        number = random.randrange(len(_EXTRAS[kind]))
        words.append(f"{kind.decode()} {number}")
        chunks.append((kind, _EXTRAS[kind][number]))
    return chunks


def _exif(random, words):
    prefix = b"Exif\0\0" * random.choice([0] * 6 + [1, 1, 2])
    words += ["EXIF with a prefix"] if prefix else []
    return prefix + odd_exif(random, words)


def _chunk(random, kind, data, words):
    check = zlib.crc32(kind + data)
    if kind[0] >= 97 and not random.randrange(12):  # a small letter: not needed for the pixels
        words.append(f"wrong CRC of {kind.decode()}")
        check ^= 1
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
