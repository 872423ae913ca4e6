"""A generator of photographs whose files are odd, but mostly decodable.

`random` is a `random.Random`, by which hypothesis or a seed decides. `words` collects what is odd.
"""

import numpy as np
from PIL import Image

from odd_photographs.jpeg import odd_jpeg
from odd_photographs.png import odd_png
from odd_photographs.webp import odd_webp

_WRITERS = {"JPEG": odd_jpeg, "PNG": odd_png, "WebP": odd_webp}


def odd_photograph(random, share_of_broken=0.2):
    """Draws a photograph of 1 to 70 pixels on a side, which is damaged with a given probability.

    Returns `(words, content)`: the format and all that is odd about it, and the file's bytes.
    """
    file_format = random.choice([*_WRITERS, "JPEG"])
    words = [file_format]
    extent = [random.choice([1, 2, 7, 8, 16, 33, random.randrange(1, 71)]) for _ in range(2)]
    pixels = np.random.default_rng(random.getrandbits(32)).integers(0, 256, (3, 4, 3), np.uint8)
    picture = Image.fromarray(pixels).resize(extent, Image.Resampling.BICUBIC)
    content = _WRITERS[file_format](random, picture, words)
    if random.random() < share_of_broken:
        content = _broken(random, content, words)
    return words, content


def _broken(random, content, words):
    for _ in range(random.choice([1, 1, 2, 5])):
        what = random.choice(["cut", "set", "flip", "insert", "drop", "repeat"])
        words.append(f"then {what}")
        place = random.randrange(len(content) + 1)
        place = min(place, random.choice([64, 10**6]))
        byte = content[place : place + 1] or b"\0"
        content = {
            "cut": content[:place],
            "set": content[:place] + bytes([random.randrange(256)]) + content[place + 1 :],
            "flip": content[:place]
            + bytes([byte[0] ^ 1 << random.randrange(8)])
            + content[place + 1 :],
            "insert": content[:place] + bytes([random.randrange(256)]) + content[place:],
            "drop": content[:place] + content[place + random.randrange(1, 9) :],
            "repeat": content[:place] + content[max(0, place - 40) :],
        }[what]
    return content
