"""Defines how one photograph of a flower is drawn, with surroundings, light and sensor noise."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from nfl_keras.data.sources.blooms.flower import Pose, draw_flower
from nfl_keras.data.sources.blooms.species import Species

_SUPERSAMPLING = 2
_GREENS = np.array([(58, 92, 44), (84, 120, 58), (40, 66, 40), (112, 138, 76), (70, 84, 52)])
_GROUNDS = np.array([(104, 86, 64), (134, 150, 120), (150, 164, 176), (66, 60, 50)])
_FAR_BLOBS = np.array(
    [
        (216, 128, 160),
        (196, 150, 206),
        (140, 142, 210),
        (236, 176, 120),
        (236, 226, 190),
        (220, 196, 90),
        (150, 176, 110),
    ]
)


def photograph(species: Species, rng: np.random.Generator, image_size: int) -> bytes:
    """Draws one photograph of one flower.

    Args:
        species: a `Species`.
        rng: `numpy.random.Generator` of everything but the species' traits.
        image_size: int, height and width in pixels.

    Returns:
        bytes, a JPEG file.
    """
    side = _SUPERSAMPLING * image_size
    pose = _pose(rng, side)
    image = _surroundings(rng, side, pose)
    _stem(image, rng, pose)
    draw_flower(image, species, pose, rng)
    if rng.random() < 0.5:
        _obstacle(image, rng, pose)
    pixels = _expose(image.reduce(_SUPERSAMPLING), rng)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue()


def _pose(rng: np.random.Generator, side: int) -> Pose:
    turn, axis = rng.uniform(0, 2 * np.pi, 2)
    squeeze = np.diag([1.0, np.cos(np.radians(rng.uniform(0, 48)))])
    radius = side * rng.uniform(0.30, 0.44)
    center = side * (0.5 + rng.uniform(-0.09, 0.09, 2))
    return Pose(center, radius, _rotation(axis) @ squeeze @ _rotation(turn - axis))


def _surroundings(rng: np.random.Generator, side: int, pose: Pose) -> Image.Image:
    half = side // 2
    palette = np.concatenate([_GREENS, _GREENS, _GROUNDS[rng.integers(len(_GROUNDS))][None]])
    cells = palette[rng.integers(len(palette), size=(5, 5))] * rng.uniform(0.6, 1.15, (5, 5, 1))
    image = Image.fromarray(np.clip(cells, 0, 255).astype(np.uint8))
    image = image.resize((half, half), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 6)):
        _blob(pen, rng.uniform(0, half, 2), half * rng.uniform(0.03, 0.11), _pick(rng, _FAR_BLOBS))
    image = image.filter(ImageFilter.BoxBlur(half * rng.uniform(0.02, 0.05)))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(2, 8)):
        start = half * np.array([rng.uniform(-0.1, 1.1), rng.uniform(0.6, 1.2)])
        reach = half * np.array([rng.uniform(-0.35, 0.35), rng.uniform(-0.9, -0.3)])
        _blade(pen, rng, start, reach, half * rng.uniform(0.012, 0.09))
    _blob(pen, pose.center / 2 + 0.05 * half, 0.24 * pose.radius, (46, 58, 38))  # The shadow.
    image = image.filter(ImageFilter.BoxBlur(half * rng.uniform(0.008, 0.03)))
    return image.resize((side, side), Image.Resampling.BILINEAR)


def _stem(image: Image.Image, rng: np.random.Generator, pose: Pose) -> None:
    reach = np.array([rng.uniform(-0.3, 0.3), 1.0]) * image.height
    _blade(ImageDraw.Draw(image), rng, pose.center, reach, 0.05 * pose.radius, tip=1.0)


def _obstacle(image: Image.Image, rng: np.random.Generator, pose: Pose) -> None:
    """Draws a blade or leaf before the flower, from outside the picture into the petals."""
    angle = rng.uniform(0, 2 * np.pi)
    outward = np.array([np.cos(angle), np.sin(angle)])
    sideways = np.array([-outward[1], outward[0]]) * rng.uniform(-0.6, 0.6)
    tip = pose.center + pose.radius * (rng.uniform(0.3, 0.7) * outward + sideways)
    start = pose.center + 1.1 * image.height * outward
    width = pose.radius * rng.uniform(0.05, 0.22)
    _blade(ImageDraw.Draw(image), rng, start, tip - start, width)


def _blade(
    pen: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    start: np.ndarray,
    reach: np.ndarray,
    half_width: float,
    tip: float = 0.0,
) -> None:
    """Draws a bent, tapering leaf whose two halves have different shades."""
    t = np.linspace(0, 1, 9)[:, None]
    normal = np.array([-reach[1], reach[0]]) / np.hypot(*reach)
    bend = rng.uniform(-0.15, 0.15) * np.hypot(*reach)
    spine = start + t * reach + bend * np.sin(np.pi * t) * normal
    width = half_width * (tip + (1 - tip) * (0.35 + 0.65 * np.sin(np.pi * np.minimum(1, 0.3 + t))))
    width = width * np.sqrt(np.maximum(0, 1 - (1 - tip) * t**3))
    color = _pick(rng, _GREENS) * rng.uniform(0.8, 1.35)
    for way, shade in ((1, 1.0), (-1, 0.82)):
        points = np.concatenate([spine, (spine + way * width * normal)[::-1]])
        pen.polygon([tuple(p) for p in points.tolist()], _ink(color * shade))


def _expose(image: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """Returns the scene under its light, with the sensor's noise, as uint8 `[H, W, 3]`."""
    image = image.filter(ImageFilter.GaussianBlur(image.height / 96 * rng.uniform(0.0, 0.7)))
    pixels = np.asarray(image, dtype=np.float32)
    angle, warmth = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.09)
    ramp = np.linspace(-1, 1, image.height, dtype=np.float32)
    slope = np.float32(rng.uniform(0, 0.25))
    shading = 1 + slope * (np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None])
    cast = np.array([1 + warmth, 1 + rng.normal(0, 0.03), 1 - warmth]) * rng.uniform(0.68, 1.18)
    pixels = pixels * shading[..., None].astype(np.float32) * cast.astype(np.float32)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(pixels + np.float32(rng.uniform(1, 6)) * noise, 0, 255).astype(np.uint8)


def _blob(
    pen: ImageDraw.ImageDraw,
    center: np.ndarray,
    radius: float,
    color: np.ndarray | tuple[int, int, int],
) -> None:
    pen.ellipse([*(center - radius), *(center + radius)], _ink(np.asarray(color)))


def _rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _pick(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    return rows[rng.integers(len(rows))]


def _ink(color: np.ndarray) -> tuple[int, ...]:
    return tuple(int(channel) for channel in np.clip(color, 0, 255))
