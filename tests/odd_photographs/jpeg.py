"""JPEG files in the orders and with the segments, scans and samplings that decoders accept."""

import io
import math
import struct

import numpy as np

from odd_photographs.exif import odd_exif

MANY_SEGMENTS = "more than 1,024 segments"

_PREFIX = b"Exif\0\0"
_APP0, _APP1, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
_TABLES = 0xDB, 0xC4  # of quantization and of Huffman's codes


def odd_jpeg(random, picture, words):
    """Draws a JPEG file, of a picture by Pillow or of flat blocks by our own encoder."""
    content = (
        _of_blocks(random, words) if random.random() < 0.4 else _by_pillow(random, picture, words)
    )
    segments, scans = _parsed(content)
    segments = _with_extras(random, segments, words)
    out = b"\xff\xd8"
    for marker, data in segments:
        out += _stray(random, words) + b"\xff" * random.choice([1] * 8 + [2, 9])
        out += bytes([marker]) + struct.pack(">H", len(data) + 2) + data
    out += _stray(random, words) + scans
    if not random.randrange(6):
        words.append("bytes behind the end")
        out += random.choice(
            [bytes(9), b"\xff\xd9", content, b"\xff" * 5, b"\xff\xe1\0\x08Exif\0\0"]
        )
    return out


def _by_pillow(random, picture, words):
    mode = random.choice(["RGB", "RGB", "RGB", "L", "CMYK", "1"])
    options = {
        "quality": random.choice([1, 40, 75, 95, 100]),
        "progressive": random.random() < 0.3,
        "optimize": random.random() < 0.3,
        "subsampling": random.choice([0, 1, 2]),
        "restart_marker_blocks": random.choice([0, 0, 0, 1, 3, 7]),
    }
    if mode == "RGB" and not random.randrange(8):
        words.append("RGB as it is")
        options |= {"keep_rgb": True, "subsampling": 0}
    words.append(f"{mode}, sampling {options['subsampling']}")
    words += ["progressive"] if options["progressive"] else []
    words += ["restart markers"] if options["restart_marker_blocks"] else []
    buffer = io.BytesIO()
    picture.convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _parsed(content):
    """Returns the segments before the first scan, and all bytes from there on."""
    segments, position = [], 2
    while content[position + 1] != 0xDA:
        marker, length = content[position + 1], struct.unpack_from(">H", content, position + 2)[0]
        segments.append((marker, content[position + 4 : position + 2 + length]))
        position += 2 + length
    return segments, content[position:]


def _with_extras(random, segments, words):
    kept = [s for s in segments if s[0] not in (_APP0, _ADOBE) or random.random() < 0.7]
    if len(kept) < len(segments):
        words.append("without JFIF or Adobe")
    if not random.randrange(8):
        # Tables may stand in any order, and behind the frame.
        words.append("tables in another order")
        tables = [s for s in kept if s[0] in _TABLES]
        others = [s for s in kept if s[0] not in _TABLES]
        random.shuffle(tables)
        kept = others + tables
    extras = [_extra(random, words) for _ in range(random.choice([0, 0, 1, 3, 12]))]
    if random.random() < 0.7:
        extras += _exif_segments(random, words)
    if not random.randrange(40):
        words.append(MANY_SEGMENTS)
        kept[:0] = [(_COMMENT, b"")] * 1100
    place = 0
    for extra in extras:
        # Most stand in their order, since the second part of EXIF follows the first.
        place = random.randrange(place, len(kept) + 1) if random.random() < 0.8 else 0
        kept.insert(place, extra)
        place += 1
    return kept


def _extra(random, words):
    marker = random.choice([_COMMENT, _APP0, _ADOBE, _APP1, *range(0xE0, 0xF0), 0xDD, 0xDC, 0xF0])
    adobe = b"Adobe" + struct.pack(">HHHB", 100, 0, 0, random.choice([0, 1, 2, 7]))
    data = {
        _APP0: random.choice(
            [
                b"JFIF\0\1\1\0\0\1\0\1\0\0",
                b"JFXX\0\x10",
                b"JFIF\0",
                b"JFIF\0\1\1\0\0\0\0\0\0\1\1abc",
            ]
        ),
        _ADOBE: random.choice([adobe, adobe[:6], b"Adobe\0"]),
        _APP1: random.choice(
            [b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>", b"exif\0\0II*\0", b"Exif"]
        ),
        0xE2: random.choice(
            [b"ICC_PROFILE\0\1\1abc", b"ICC_PROFILE\0\2\1", b"MPF\0II*\0", b"MPF\0"]
        ),
        0xED: random.choice(
            [b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x02ab", b"Photoshop 3.0\x008BIM\x03\xed"]
        ),
        0xDD: struct.pack(">H", 0),
        0xDC: struct.pack(">H", 24),
        0xF0: b"x",
    }.get(marker, b"")
    if marker not in (0xDD, 0xDC) and random.random() < 0.2:
        data = np.random.default_rng(random.getrandbits(32)).bytes(
            random.choice([0, 1, 20, 40_000])
        )
    words.append(f"segment {marker:02x}")
    return marker, data


def _exif_segments(random, words):
    exif = odd_exif(random, words)
    way = random.choice(
        ["plain"] * 6 + ["prefix twice", "two", "in parts", "behind XMP", "empty first"]
    )
    words.append(f"EXIF {way}")
    return {
        "plain": [(_APP1, _PREFIX + exif)],
        "prefix twice": [(_APP1, 2 * _PREFIX + exif)],
        "two": [(_APP1, _PREFIX + exif), (_APP1, _PREFIX + odd_exif(random, words))],
        "in parts": [(_APP1, _PREFIX + exif[:30]), (_APP1, _PREFIX + exif[30:])],
        "behind XMP": [(_APP1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), (_APP1, _PREFIX + exif)],
        "empty first": [(_APP1, _PREFIX), (_APP1, _PREFIX + exif)],
    }[way]


def _stray(random, words):
    """Bytes that libjpeg skips before a marker, and markers that stand alone."""
    if random.random() < 0.96:
        return b""
    stray = random.choice(
        [b"\0", bytes(7), b"abc", b"\xff\0", b"\xff\0\0\xff\0x", b"\xff\x01", b"\xff\xd3"]
    )
    words.append(f"stray {stray!r}")
    return stray


def _of_blocks(random, words):
    """Encodes flat blocks of 8 x 8 in any sampling, in one scan or one of each component."""
    components = random.choice([1, 3, 3, 3, 4])
    samplings = [(random.choice([1, 1, 2, 4]), random.choice([1, 1, 2])) for _ in range(components)]
    if random.random() < 0.3:
        samplings = [(4, 1)] + [(1, 1)] * (components - 1)
    if components == 1 or sum(h * v for h, v in samplings) > 10:
        samplings = [(2, 1)] + [(1, 1)] * (components - 1)
    frame, restart = random.choice([0xC0, 0xC0, 0xC1, 0xC2]), random.choice([0, 0, 1, 2, 5])
    ids = random.choice([(1, 2, 3, 4), (0, 1, 2, 3), (82, 71, 66, 65), (1, 34, 35, 36)])
    height, width = random.randrange(1, 70), random.randrange(1, 70)
    words.append(f"frame {frame:02x} of {components} components")
    words.append(f"sampling {samplings}")
    words.append(f"ids {ids[:components]}")
    out = b"\xff\xd8" + _segment(0xDB, b"\0" + bytes([16] * 64))
    of_all = zip(ids, samplings, strict=False)
    parts = b"".join(bytes([number, h << 4 | v, 0]) for number, (h, v) in of_all)
    out += _segment(frame, struct.pack(">BHHB", 8, height, width, components) + parts)
    out += _segment(0xC4, b"\0" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    if frame != 0xC2:
        out += _segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    if restart:
        words.append("restart markers")
        out += _segment(0xDD, struct.pack(">H", restart))
    most = [max(sides) for sides in zip(*samplings, strict=True)]
    everything = list(range(components))
    scans = [[one] for one in everything] if random.random() < 0.3 else [everything]
    words += ["a scan of each component"] if len(scans) > 1 else []
    for scan in scans:
        out += _scan(random, scan, ids, samplings, most, (height, width), frame, restart)
    return out + b"\xff\xd9"


def _scan(random, scan, ids, samplings, most, extent, frame, restart):
    if len(scan) > 1:
        units = [
            -(-side // (8 * largest)) for side, largest in zip(extent, most[::-1], strict=True)
        ]
    else:
        sides = zip(extent, samplings[scan[0]][::-1], most[::-1], strict=True)
        units = [math.ceil(side * own / largest / 8) for side, own, largest in sides]
    bits, data, last, noise = "", b"", {}, random.getrandbits(32)
    draw = np.random.default_rng(noise)
    for number in range(units[0] * units[1]):
        if restart and number and number % restart == 0:
            data += _stuffed(bits) + bytes([0xFF, 0xD0 + (number // restart - 1) % 8])
            bits, last = "", {}
        for one in scan:
            blocks = samplings[one][0] * samplings[one][1] if len(scan) > 1 else 1
            for _ in range(blocks):
                # Smooth, since decoders differ in how they enlarge what is sampled less.
                level = min(max(last.get(one, 0) + int(draw.integers(-6, 7)), -55), 55)
                change, last[one] = level - last.get(one, 0), level
                length = abs(change).bit_length()
                bits += f"{length:04b}"
                if length:
                    bits += f"{change if change > 0 else change + 2**length - 1:0{length}b}"
                bits += "0" if frame != 0xC2 else ""
    tables = b"".join(bytes([ids[one], 0]) for one in scan)
    last_coefficient = 0 if frame == 0xC2 else 63
    head = bytes([len(scan)]) + tables + bytes([0, last_coefficient, 0])
    return _segment(0xDA, head) + data + _stuffed(bits)


def _stuffed(bits):
    bits += "1" * (-len(bits) % 8)
    packed = int(bits or "11111111", 2).to_bytes(max(len(bits) // 8, 1), "big")
    return packed.replace(b"\xff", b"\xff\0")


def _segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data
