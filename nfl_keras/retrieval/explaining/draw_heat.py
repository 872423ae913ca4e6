"""Defines how a map and frames are drawn on a photograph."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

_LEAST, _MOST = 0.3, 0.65  # opacity of heat, where it is lowest and highest


def draw_heat(
    picture: Image.Image,
    heat: np.ndarray,
    extent: tuple[int, int],
    frames: Sequence[tuple[int, int, int, int]],
    side: int,
) -> Image.Image:
    """Draws a map as heat on a photograph in gray, with numbered frames.

    Args:
        picture: `PIL.Image.Image`, RGB.
        heat: float `[H, W]`, a grid that covers the photograph.
        extent: (int, int), height and width in pixels that `frames` count in.
        frames: sequence of `(x, y, width, height)`.
        side: int, pixels of the longer side of the drawing.

    Returns:
        `PIL.Image.Image`, RGB.

    Example:

    >>> from PIL import Image
    >>> from nfl_keras.retrieval.explaining.draw_heat import draw_heat
    >>> heat = np.array([[0.1, 0.2]])
    >>> draw_heat(Image.new("RGB", (40, 20)), heat, (20, 40), [(0, 0, 20, 20)], side=100).size
    (100, 50)
    """
    from matplotlib import colormaps

    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    spread = heat - heat.min()
    values = (spread / max(spread.max(), 1e-12)).astype(np.float32)
    smooth = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
    values = np.clip(np.asarray(smooth), 0, 1)
    gray = np.asarray(ImageOps.grayscale(picture.resize((width, height))), np.float32)[..., None]
    colors = 255 * colormaps["viridis"](values)[..., :3]
    opacity = (_LEAST + (_MOST - _LEAST) * values)[..., None]
    mixed = (1 - opacity) * gray + opacity * colors
    drawn = Image.fromarray(np.rint(mixed).astype(np.uint8))
    _draw_frames(drawn, frames, width / extent[1], height / extent[0])
    return drawn


def _draw_frames(
    drawn: Image.Image, frames: Sequence[tuple[int, int, int, int]], across: float, down: float
) -> None:
    draw = ImageDraw.Draw(drawn)
    size = max(11, max(drawn.size) // 26)
    font = ImageFont.load_default(size)
    line = max(1, size // 9)
    # The strongest is drawn last, above the others.
    for number, (x, y, width, height) in reversed(list(enumerate(frames, 1))):
        left, top = x * across, y * down
        right = max(left, left + width * across - 1)
        bottom = max(top, top + height * down - 1)
        draw.rectangle((left, top, right, bottom), outline="black", width=3 * line)
        inner = left + line, top + line, right - line, bottom - line
        if inner[0] < inner[2] and inner[1] < inner[3]:
            draw.rectangle(inner, outline="white", width=line)
        label = left + 1.25 * size * len(str(number)), top + 1.25 * size
        draw.rectangle((left, top, *label), fill="black")
        middle = (left + label[0]) / 2, (top + label[1]) / 2
        draw.text(middle, str(number), fill="white", font=font, anchor="mm")
