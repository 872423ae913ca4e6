"""Photographs as phones, editors and web sites write them. A new case is one line.

All show `PICTURE`. `ODD` are good photographs, `REFUSED` are none.
"""

import io
import json
import os
import pathlib
import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from nfl_keras.data.decoding.photograph_error import (
    DAMAGED,
    EMPTY,
    NOT_AN_IMAGE,
    TOO_COSTLY,
    TOO_LARGE,
)


class Odd(NamedTuple):
    """A file, and the format and the orientation of a plain file of the same pixels.

    In the place of the format there may be the plain file itself, or None: then all ways must give
    the same embedding. Of `rare` formats, the client converts what servers refuse.
    """

    content: bytes
    like: str | bytes | None
    turned: int = 1
    rare: bool = False

    @property
    def plain(self):
        """A file that Pillow wrote, or None."""
        return plain(self.like, self.turned) if isinstance(self.like, str) else self.like


def _picture():
    pixels = np.random.default_rng(14).integers(0, 256, (3, 4, 3), np.uint8)
    return Image.fromarray(pixels).resize((36, 24), Image.Resampling.BICUBIC)


def saved(image, file_format, orientation=None, **options):
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


PICTURE = _picture()
CLEAR = PICTURE.copy()
CLEAR.putalpha(77)
EXACT = {"lossless": True, "exact": True}


def plain(file_format, orientation=1):
    """The picture as Pillow writes it."""
    image, options = (CLEAR, EXACT) if file_format == "WEBP" else (PICTURE, {})
    return saved(image, file_format, None if file_format == "BMP" else orientation, **options)


def tiff(*entries, order="<", magic=None, tail=b""):
    """EXIF without its prefix, of (tag, type, count, four bytes or a number of 16 bits)."""
    body = b"".join(
        struct.pack(f"{order}HHI", *entry)
        + (value if isinstance(value, bytes) else struct.pack(f"{order}HH", value, 0))
        for *entry, value in entries
    )
    head = magic or {"<": b"II*\0", ">": b"MM\0*"}[order]
    return head + struct.pack(f"{order}IH", 8, len(entries)) + body + bytes(4) + tail


def turned(value, kind=3, count=1):
    return 0x0112, kind, count, value


# ---- JPEG ----

JPEG = saved(PICTURE, "JPEG")
PREFIX = b"Exif\0\0"


def segment(marker, data=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*parts, behind=b""):
    """The JPEG with bytes behind its first marker, and others behind its end."""
    return JPEG[:2] + b"\xff\xe0\0\2" + b"".join(parts) + JPEG[2:] + behind


def exif(data, prefix=PREFIX):
    return segment(0xE1, prefix + data)


SIX = tiff(turned(6))
MANY = tiff(*70 * [(0x9999, 3, 1, 0)], turned(6))
FAR = tiff(turned(struct.pack("<I", 30), 16), tail=bytes(4) + struct.pack("<Q", 6))
RATIONAL = tiff(turned(struct.pack("<I", 26), 5), tail=struct.pack("<II", 12, 2))
BEYOND = tiff((0x010E, 2, 20, struct.pack("<I", 9000)), turned(6))
BIG = PICTURE.resize((2000, 1))

ODD = {
    "JPEG: zeros between segments": Odd(jpeg(bytes(9)), "JPEG"),
    "JPEG: a segment begins 00 E1": Odd(jpeg(b"\0\xe1\0\x08abcdef"), "JPEG"),
    "JPEG: FF 00 between segments": Odd(jpeg(b"\xff\0\xff\0"), "JPEG"),
    "JPEG: fill bytes": Odd(jpeg(99 * b"\xff", exif(SIX), b"\xff\xff"), "JPEG", 6),
    "JPEG: markers alone": Odd(jpeg(b"\xff\xd0\xff\xd7\xff\1", exif(SIX)), "JPEG", 6),
    "JPEG: 300 KB of stray bytes": Odd(jpeg(300_000 * b"a", exif(SIX)), "JPEG", 6),
    "JPEG: zeros, then EXIF": Odd(jpeg(bytes(5), exif(SIX)), "JPEG", 6),
    "JPEG: a segment without a length": Odd(jpeg(b"\xff\xe5\0\0", exif(SIX)), "JPEG", 6),
    "JPEG: EXIF's prefix twice": Odd(jpeg(exif(PREFIX + SIX)), "JPEG", 6),
    "JPEG: EXIF's prefix three times": Odd(jpeg(exif(PREFIX + PREFIX + SIX)), "JPEG"),
    "JPEG: orientation as the 71st entry": Odd(jpeg(exif(MANY)), "JPEG", 6),
    "JPEG: big-endian EXIF": Odd(jpeg(exif(tiff(turned(8), order=">"))), "JPEG", 8),
    "JPEG: magic MM 2A 00": Odd(jpeg(exif(tiff(turned(3), order=">", magic=b"MM*\0"))), "JPEG", 3),
    "JPEG: magic MM 00 2B": Odd(jpeg(exif(tiff(turned(3), order=">", magic=b"MM\0+"))), "JPEG", 3),
    "JPEG: magic II 00 2A": Odd(jpeg(exif(tiff(turned(5), magic=b"II\0*"))), "JPEG", 5),
    "JPEG: magic of BigTIFF": Odd(jpeg(exif(tiff(turned(6), magic=b"II+\0"))), "JPEG"),
    "JPEG: a long orientation": Odd(jpeg(exif(tiff(turned(7, 4)))), "JPEG", 7),
    "JPEG: two orientations in one entry": Odd(jpeg(exif(tiff(turned(6, 3, 2)))), "JPEG", 6),
    "JPEG: an orientation of 8 bytes": Odd(jpeg(exif(FAR)), "JPEG", 6),
    "JPEG: an orientation of 12/2": Odd(jpeg(exif(RATIONAL)), "JPEG", 6),
    "JPEG: an orientation in words": Odd(jpeg(exif(tiff(turned(b"up\0\0", 2, 3)))), "JPEG"),
    "JPEG: orientation 0": Odd(jpeg(exif(tiff(turned(0)))), "JPEG"),
    "JPEG: orientation 9": Odd(jpeg(exif(tiff(turned(9)))), "JPEG"),
    "JPEG: another entry points nowhere": Odd(jpeg(exif(BEYOND)), "JPEG", 6),
    "JPEG: EXIF in two segments": Odd(jpeg(exif(SIX[:10]), exif(SIX[10:])), "JPEG", 6),
    "JPEG: EXIF behind another APP1": Odd(jpeg(segment(0xE1, b"http:"), exif(SIX)), "JPEG", 6),
    "JPEG: EXIF that ends early": Odd(jpeg(exif(SIX[:15])), "JPEG"),
    "JPEG: EXIF that is none": Odd(jpeg(exif(b"no directory at all")), "JPEG"),
    "JPEG: a damaged index of MPF": Odd(jpeg(segment(0xE2, b"MPF\0II*\0\xff\xff\xff")), "JPEG"),
    "JPEG: a damaged profile": Odd(jpeg(segment(0xE2, b"ICC_PROFILE\0\1")), "JPEG"),
    "JPEG: a damaged JFIF segment": Odd(jpeg(segment(0xE0, b"JFIF")), "JPEG"),
    "JPEG: damaged Photoshop data": Odd(jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\4")), "JPEG"),
    "JPEG: a comment that is no text": Odd(jpeg(segment(0xFE, b"\xff\xd8\xff\xc0")), "JPEG"),
    "JPEG: bytes behind the end": Odd(jpeg(behind=b"motion photo" + JPEG), "JPEG"),
    "JPEG: of CMYK": Odd(saved(PICTURE.convert("CMYK"), "JPEG", 6), None),
    "JPEG: progressive": Odd(saved(PICTURE, "JPEG", 6, progressive=True), None),
    "JPEG: restart markers": Odd(saved(PICTURE, "JPEG", 6, restart_marker_blocks=3), None),
    "JPEG: 4:1:1": Odd(saved(PICTURE, "JPEG", 6, subsampling="4:1:1"), None),
    "MPO": Odd(saved(PICTURE, "MPO", save_all=True, append_images=[CLEAR.convert("RGB")]), None),
}

# ---- PNG ----

PNG = saved(PICTURE, "PNG")


def chunk(kind, data=b"", wrong=0):
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data) ^ wrong)
    )


def png(*parts, behind=b""):
    """The PNG with chunks before its pixels, and bytes behind its end."""
    return PNG[:33] + b"".join(parts) + PNG[33:] + behind


def pieces():
    start = PNG.index(b"IDAT") - 4
    data = PNG[start + 8 : -16]
    halves = chunk(b"IDAT", data[:99]) + chunk(b"IDAT") + chunk(b"IDAT", data[99:])
    return PNG[:start] + halves + PNG[-12:]


BOMB_TEXT = b"a\0\0" + zlib.compress(bytes(2**21))
NO_COLORS = png(chunk(b"gAMA"), chunk(b"cHRM"), chunk(b"sRGB"))
CLEAR_PALETTE = saved(PICTURE.quantize(16), "PNG", 6, transparency=3)

ODD |= {
    "PNG: text that inflates to 2 MiB": Odd(png(chunk(b"zTXt", BOMB_TEXT)), "PNG"),
    "PNG: text with a wrong checksum": Odd(png(chunk(b"tEXt", b"a\0b", wrong=1)), "PNG"),
    "PNG: text of an unknown compression": Odd(png(chunk(b"zTXt", b"a\0\7b")), "PNG"),
    "PNG: text called exif": Odd(png(chunk(b"tEXt", b"exif\0" + SIX)), "PNG"),
    "PNG: empty pHYs": Odd(png(chunk(b"pHYs")), "PNG"),
    "PNG: empty gAMA, cHRM and sRGB": Odd(NO_COLORS, "PNG"),
    "PNG: a damaged profile": Odd(png(chunk(b"iCCP", b"a\0\0no zlib")), "PNG"),
    "PNG: a chunk of its own": Odd(png(chunk(b"abCd", bytes(9999))), "PNG"),
    "PNG: a damaged animation": Odd(png(chunk(b"acTL", bytes(3))), "PNG"),
    "PNG: EXIF": Odd(png(chunk(b"eXIf", SIX)), "PNG", 6),
    "PNG: EXIF with its prefix": Odd(png(chunk(b"eXIf", PREFIX + SIX)), "PNG", 6),
    "PNG: EXIF with a wrong checksum": Odd(png(chunk(b"eXIf", SIX, wrong=1)), "PNG", 6),
    "PNG: damaged EXIF": Odd(png(chunk(b"eXIf", SIX[:15])), "PNG"),
    "PNG: EXIF behind the pixels": Odd(PNG[:-12] + chunk(b"eXIf", SIX) + PNG[-12:], "PNG"),
    "PNG: pixels in pieces": Odd(pieces(), "PNG"),
    "PNG: bytes behind the end": Odd(png(behind=b"more" + JPEG), "PNG"),
    "PNG: a palette with transparency": Odd(CLEAR_PALETTE, None),
    "PNG: 2000 x 1": Odd(saved(BIG, "PNG"), None),
}

# ---- WebP, BMP and what servers leave to the client ----

WEBP = saved(CLEAR, "WEBP", **EXACT)


def webp(flags, *chunks, behind=b""):
    """The transparent WebP in its extended form, with chunks behind its pixels."""
    canvas = (35).to_bytes(3, "little") + (23).to_bytes(3, "little")
    body = (
        b"WEBPVP8X" + struct.pack("<IB3x", 10, flags | 16) + canvas + WEBP[12:] + b"".join(chunks)
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body + behind


def piece(kind, data):
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


OTHER = piece(b"abcd", b"a")
UNREADABLE = piece(b"ICCP", b"a"), piece(b"XMP ", b"<")
LZW = saved(PICTURE.convert("CMYK"), "TIFF", compression="tiff_lzw")
MOVING = {"save_all": True, "append_images": [CLEAR.rotate(180)]}
BMP = saved(PICTURE, "BMP")

ODD |= {
    "WebP: transparent": Odd(WEBP, "WEBP"),
    "WebP: EXIF": Odd(webp(8, piece(b"EXIF", SIX)), "WEBP", 6),
    "WebP: EXIF with its prefix": Odd(webp(8, piece(b"EXIF", PREFIX + SIX)), "WEBP", 6),
    "WebP: EXIF without its flag": Odd(webp(0, piece(b"EXIF", SIX)), "WEBP"),
    "WebP: EXIF that ends early": Odd(webp(8, piece(b"EXIF", SIX[:15])), "WEBP"),
    "WebP: a chunk that ends early": Odd(webp(8, piece(b"EXIF", SIX)[:-9]), "WEBP"),
    "WebP: EXIF behind a chunk of its own": Odd(webp(8, OTHER, piece(b"EXIF", SIX)), "WEBP", 6),
    "WebP: flags of what is missing": Odd(webp(4 + 8 + 32), "WEBP"),
    "WebP: damaged profile and XMP": Odd(webp(36, *UNREADABLE), "WEBP"),
    "WebP: bytes behind the end": Odd(webp(0, behind=piece(b"EXIF", SIX)), "WEBP"),
    "WebP: lossy": Odd(saved(PICTURE, "WEBP", 6), None),
    "BMP: of 32 bits": Odd(saved(CLEAR, "BMP"), "BMP"),
    "BMP: bytes behind the end": Odd(BMP + b"more", "BMP", rare=True),
    "BMP: a palette": Odd(saved(PICTURE.quantize(16), "BMP"), None, rare=True),
    "GIF": Odd(saved(PICTURE, "GIF"), None, rare=True),
    "GIF: moving": Odd(saved(PICTURE, "GIF", **MOVING), None, rare=True),
    "TIFF": Odd(saved(PICTURE, "TIFF"), "BMP", rare=True),
    "TIFF: turned": Odd(saved(PICTURE, "TIFF", 6), "PNG", 6, rare=True),
    "TIFF: of CMYK": Odd(LZW, None, rare=True),
    "WebP: moving": Odd(saved(CLEAR, "WEBP", **EXACT, **MOVING), "WEBP", rare=True),
}

# ---- what all ways refuse ----


def declaring(height, width, content, start, form):
    return (
        content[:start]
        + struct.pack(form, height, width)
        + content[start + struct.calcsize(form) :]
    )


BOMB = declaring(30_000, 30_000, PNG, 16, ">II")
FRAME = JPEG.index(b"\xff\xc0") + 5

PROGRESSIVE = saved(PICTURE, "JPEG", progressive=True, subsampling="4:4:4")
SCAN = JPEG.index(b"\xff\xda")
IN_SCANS = JPEG[: SCAN + 4] + b"\1" + JPEG[SCAN + 5 :]  # The first scan has one component.
CANVAS = b"\x23\0\0\x17\0\0"
LOSSY = saved(CLEAR, "WEBP")


def megapixels(number, content):
    """The file with another width and height of as many pixels."""
    side = int(np.sqrt(number * 1e6))
    frames = [content.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2")]
    if content[:2] == b"\xff\xd8":
        return declaring(side, side, content, max(frames) + 5, ">HH")
    canvas = 2 * (side - 1).to_bytes(3, "little")
    return content.replace(CANVAS, canvas, 1)


REFUSED = {
    "nothing": (b"", EMPTY),
    "words": (b"<html>not found</html>", NOT_AN_IMAGE),
    "zeros": (bytes(999), NOT_AN_IMAGE),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NOT_AN_IMAGE),
    "JPEG: no more than magic": (JPEG[:3], DAMAGED),
    "JPEG: half": (JPEG[: len(JPEG) // 2], DAMAGED),
    "JPEG: half, behind stray bytes": (jpeg(bytes(9))[: len(JPEG) // 2], DAMAGED),
    "JPEG: no pixels": (declaring(0, 0, JPEG, FRAME, ">HH"), DAMAGED),
    "JPEG: two frames": (jpeg(JPEG[FRAME - 5 : FRAME + 14]), DAMAGED),
    "JPEG: ends before its pixels": (jpeg(b"\xff\xd9"), DAMAGED),
    "JPEG: stray bytes alone": (JPEG[:3] + bytes(99_999), DAMAGED),
    "JPEG: too many pixels": (declaring(60_000, 60_000, JPEG, FRAME, ">HH"), TOO_LARGE),
    "JPEG: progressive, of 17 megapixels": (megapixels(17, PROGRESSIVE), TOO_COSTLY),
    "JPEG: in scans, of 34 megapixels": (megapixels(34, IN_SCANS), TOO_COSTLY),
    "WebP: lossless, of 21 megapixels": (megapixels(21, webp(0)), TOO_COSTLY),
    "WebP: transparent, of 17 megapixels": (megapixels(17, LOSSY), TOO_COSTLY),
    "PNG: no more than magic": (PNG[:8], DAMAGED),
    "PNG: half": (PNG[: len(PNG) // 2], DAMAGED),
    "PNG: pixels with a wrong checksum": (PNG[:-13] + b"a" + PNG[-12:], DAMAGED),
    "PNG: too many pixels": (BOMB, TOO_LARGE),
    "WebP: half": (WEBP[: len(WEBP) // 2], DAMAGED),
    "WebP: ends behind its pixels": (webp(8, piece(b"EXIF", SIX))[:-9], DAMAGED),
    "WebP: a canvas of another size": (webp(0).replace(b"\x23\0\0", b"\x13\0\0", 1), DAMAGED),
    "BMP: half": (BMP[: len(BMP) // 2], DAMAGED),
    "BMP: too many pixels": (declaring(30_000, 30_000, BMP, 18, "<ii"), TOO_LARGE),
}

# ---- what people reported elsewhere ----


def reported():
    """Dict from a file's name to an `Odd`, of the folder beside the data sets, if it is there."""
    folder = pathlib.Path(os.environ.get("NFL_KERAS_DATA", "")) / "../cases/images"
    if not (folder / "expected.json").exists():
        return {}
    expected = json.loads((folder / "expected.json").read_text())
    files = {name: (folder / name).read_bytes() for name in expected}
    cases = {}
    for name, content in files.items():
        likeness = None if "banner" in name else files[f"plain.{name[-3:]}"]
        orientation = expected[name]["orientation"]
        if orientation > 1:
            likeness = likeness[:2] + exif(tiff(turned(orientation))) + likeness[2:]
        cases[name] = Odd(content, likeness)
    return cases
