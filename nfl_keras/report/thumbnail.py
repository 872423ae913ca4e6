"""Encoded photographs made small enough to live inside a page."""

import base64
import io

import numpy as np
from PIL import Image, ImageOps

_SHORT_SIDE = 112  # pixels
_LONGEST = 2  # long side over short side: what a panorama is cropped to
_QUALITY = 82


def thumbnail(encoded):
    """A photograph of any color mode as a small upright RGB JPEG.

    Args:
        encoded: bytes. A photograph in any format that Pillow reads.

    Returns:
        A tuple `(uri, width, height)`: a `data:` URI and its size in pixels, at most 112
        on the short side; None if the photograph cannot be read.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            # Lets the JPEG decoder skip most of the work; other formats ignore it.
            opened.draft("RGB", (2 * _SHORT_SIDE, 2 * _SHORT_SIDE))
            image = _shrink(_to_rgb(ImageOps.exif_transpose(opened)))
    except Exception:  # decoders raise anything, and no photograph is worth the whole report
        return None
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=_QUALITY, optimize=True)
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode("ascii")
    return uri, image.width, image.height


def _to_rgb(image):
    if image.mode.startswith(("I", "F")):
        # Pillow clips deep grays at 255, which turns most of them white.
        values = np.asarray(image, dtype=np.float64)
        deep = image.mode.startswith("I;16")
        low, high = (0, 65535) if deep else (values.min(), values.max())
        scaled = (values - low) * (255 / max(high - low, 1e-12))
        return Image.fromarray(scaled.round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _shrink(image):
    short = min(image.size)
    kept = tuple(min(side, _LONGEST * short) for side in image.size)
    if kept != image.size:
        image = ImageOps.fit(image, kept)
    scale = min(1.0, _SHORT_SIDE / short)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, Image.Resampling.LANCZOS)
