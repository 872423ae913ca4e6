"""Small copies of photographs for a page."""

import base64
import io

import numpy as np
from PIL import Image, ImageOps

_SHORT_SIDE = 112  # pixels
_LONGEST = 2  # long side over short side; a panorama is cropped to it
_QUALITY = 82


def thumbnail(encoded: bytes, short_side: int = _SHORT_SIDE) -> tuple[str, int, int] | None:
    """Shrinks a photograph of any color mode to an upright RGB JPEG.

    Args:
        encoded: bytes. A photograph in any format that Pillow reads.
        short_side: int. The most pixels of the short side. Defaults to `112`.

    Returns:
        A tuple `(uri, width, height)`: a `data:` URI and its size in pixels; None if the
        photograph cannot be read.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            # A JPEG is decoded at a fraction of its size; other formats ignore `draft`.
            opened.draft("RGB", (2 * short_side, 2 * short_side))
            image = _shrink(_to_rgb(ImageOps.exif_transpose(opened)), short_side)
    except Exception:  # decoders raise anything; one photograph must not stop the report
        return None
    return jpeg_uri(image), image.width, image.height


def jpeg_uri(image: Image.Image) -> str:
    """Encodes an RGB image as the `data:` URI of a JPEG."""
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode("ascii")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        # Pillow would clip grays of more than 8 bits at 255, and turn most of them white.
        values = np.asarray(image, dtype=np.float64)
        deep = image.mode.startswith("I;16")
        low, high = (0, 65535) if deep else (values.min(), values.max())
        scaled = (values - low) * (255 / max(high - low, 1e-12))
        return Image.fromarray(scaled.round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _shrink(image: Image.Image, short_side: int) -> Image.Image:
    short = min(image.size)
    kept = (min(image.width, _LONGEST * short), min(image.height, _LONGEST * short))
    if kept != image.size:
        image = ImageOps.fit(image, kept)
    scale = min(1.0, short_side / short)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)
