"""WebP files, simple and extended, with flags and chunks as writers leave them."""

import io
import struct

import numpy as np
from PIL import Image

from odd_photographs.exif import odd_exif

_ICC, _ALPHA, _EXIF, _XMP = 32, 16, 8, 4


def odd_webp(random, picture, words):
    """Draws a WebP file: Pillow's pixels in a file of our own."""
    lossless, transparent = random.random() < 0.4, random.random() < 0.4
    words += ["lossless" if lossless else "lossy", *(["transparent"] if transparent else [])]
    picture = picture.copy()
    if transparent:
        noise = np.random.default_rng(random.getrandbits(32))
        extent = picture.height, picture.width
        picture.putalpha(Image.fromarray(noise.integers(0, 256, extent, np.uint8)))
    buffer = io.BytesIO()
    options = {"quality": random.choice([0, 50, 90]), "method": random.choice([0, 4])}
    picture.save(buffer, "WEBP", lossless=lossless, exact=True, **options)
    pixels = [c for c in _parsed(buffer.getvalue()) if c[0] in (b"VP8 ", b"VP8L", b"ALPH")]
    extended = len(pixels) > 1 or random.random() < 0.6
    chunks = pixels
    if extended:
        flags = (_ALPHA if transparent else 0) | (
            random.choice([_ICC, _ALPHA, _XMP, 1, 64]) if random.random() < 0.3 else 0
        )
        ahead, behind = _extras(random, words), _extras(random, words)
        if random.random() < 0.7:
            exif = b"Exif\0\0" * random.choice([0, 0, 1, 2]) + odd_exif(random, words)
            place = random.choice([ahead, behind, behind, behind])
            place.append((b"EXIF", exif))
            has_flag = random.random() < 0.8
            flags |= _EXIF if has_flag else 0
            words.append(f"EXIF {'ahead' if place is ahead else 'behind'}, flag {has_flag}")
        canvas = struct.pack("<II", picture.width - 1, picture.height - 1)
        head = bytes([flags, 0, 0, 0]) + canvas[:3] + canvas[4:7]
        head += bytes(4) if not random.randrange(20) else b""
        chunks = [(b"VP8X", head), *ahead, *pixels, *behind]
        words.append(f"VP8X, flags {flags}")
    elif not random.randrange(3):
        words.append("chunks behind a simple file")
        chunks = pixels + _extras(random, words) + [(b"EXIF", odd_exif(random, words))]
    body = b"WEBP" + b"".join(_chunk(random, *chunk, words) for chunk in chunks)
    length = len(body) + random.choice([0] * 12 + [-2, 2, 1, 100, -len(body)])
    words += ["RIFF of wrong length"] if length != len(body) else []
    out = b"RIFF" + struct.pack("<I", length) + body
    if not random.randrange(6):
        words.append("bytes behind the end")
        out += random.choice([b"\0", b"abcd", bytes(50), out])
    return out


def _parsed(content):
    position = 12
    while position < len(content):
        kind, length = struct.unpack_from("<4sI", content, position)
        yield kind, content[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def _extras(random, words):
    extras = [
        (b"ICCP", b"profile"),
        (b"XMP ", b"<x/>"),
        (b"abcd", b"odd"),
        (b"abcd", b""),
        (b"EXIF", b""),
    ]
    chunks = random.choices(extras, k=random.choice([0, 0, 1, 2]))
    words += [f"chunk {kind!r}" for kind, _ in chunks]
    return chunks


def _chunk(random, kind, data, words):
    padding = b"\0" * (len(data) % 2)
    if padding and not random.randrange(30):
        words.append("padding that is not zero")
        padding = b"x"
    return kind + struct.pack("<I", len(data)) + data + padding
