"""Defines how one flower of a species is drawn from polygons in a pose."""

import colorsys
import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from nfl_keras.data.sources.blooms.species import Species

_PETAL_HSV = {
    "rose": (0.94, 0.52, 0.88),
    "lilac": (0.82, 0.42, 0.82),
    "azure": (0.66, 0.48, 0.86),
    "apricot": (0.07, 0.55, 0.95),
    "cream": (0.13, 0.20, 0.95),
}
_CENTER_RGB = {"gold": (236, 186, 44), "umber": (84, 50, 34), "lime": (150, 178, 66)}
_HALF_WIDTH = {"slender": 0.15, "medium": 0.25, "broad": 0.38}
_CENTER_RADIUS = {"small": 0.17, "large": 0.31}
_DARK, _WHITE = np.array([40.0, 24.0, 32.0]), np.array([255.0, 250.0, 240.0])


@dataclasses.dataclass(frozen=True)
class Pose:
    """A flower's place in the picture and its rotation.

    Args:
        center: float `[2]`, pixels.
        radius: float, pixels.
        matrix: float `[2, 2]`, from the flower's plane to the picture's: a rotation, then a
            tilt.
    """

    center: np.ndarray
    radius: float
    matrix: np.ndarray

    def place(self, points: np.ndarray) -> list[tuple[float, float]]:
        """Returns the N pixel positions of points `[N, 2]` in units of the flower's radius."""
        return [(x, y) for x, y in (self.center + self.radius * points @ self.matrix.T).tolist()]


def draw_flower(image: Image.Image, species: Species, pose: Pose, rng: np.random.Generator) -> None:
    """Draws one flower of `species` onto a Pillow image.

    Args:
        image: `PIL.Image.Image`, RGB, changed in place.
        species: a `Species`.
        pose: a `Pose`.
        rng: `numpy.random.Generator` of everything that differs from flower to flower.
    """
    pen = ImageDraw.Draw(image)
    hue, saturation, value = _PETAL_HSV[species.hue]
    hue += rng.normal(0.0, 0.012)
    saturation = saturation * rng.uniform(0.8, 1.2)
    color = _rgb(hue, saturation, value * rng.uniform(0.92, 1.04))
    if species.accent == "deep":
        accent = _rgb(hue - 0.03, min(1.0, saturation + 0.4), value * 0.52)
    else:
        accent = _mix(color, _WHITE, 0.8)
    outline = _petal_outline(species)
    light = rng.uniform(0, 2 * np.pi)
    rows = [(1.0, 0.0), (0.66, 0.5)] if species.double else [(1.0, 0.0)]
    for length, offset in rows:
        for k in range(species.petals):
            angle = 2 * np.pi * (k + offset + rng.normal(0, 0.05)) / species.petals
            size = length * (1 + rng.normal(0, 0.03))
            shade = 1 + 0.10 * np.cos(angle - light) + rng.normal(0, 0.03) - 0.06 * (length < 1)
            petal = _Petal(pen, pose, outline, angle, size)
            _draw_petal(petal, species.pattern, np.clip(shade * color, 0, 255), accent)
    _draw_center(pen, species, pose, rng)


class _Petal:
    def __init__(
        self,
        pen: ImageDraw.ImageDraw,
        pose: Pose,
        outline: np.ndarray,
        angle: float,
        size: float,
    ) -> None:
        cos, sin = np.cos(angle), np.sin(angle)
        self.pen, self.pose, self.outline = pen, pose, outline
        self.turn = size * np.array([[cos, sin], [-sin, cos]])

    def fill(
        self,
        color: np.ndarray,
        along: float = 1.0,
        across: float = 1.0,
        start: float = 0.0,
        border: np.ndarray | None = None,
    ) -> None:
        points = self.outline * (along, across) + (start, 0.0)
        self.pen.polygon(
            self.pose.place(points @ self.turn),
            _ink(color),
            None if border is None else _ink(border),
        )

    def vein(self, color: np.ndarray, slope: float, end: float) -> None:
        points = np.array([[0.2, 0.2 * slope], [0.6 * end, 0.75 * end * slope], [end, end * slope]])
        width = max(1, round(0.045 * self.pose.radius))
        self.pen.line(self.pose.place(points @ self.turn), _ink(color), width)


def _draw_petal(petal: _Petal, pattern: str, color: np.ndarray, accent: np.ndarray) -> None:
    base, border = _mix(color, _DARK, 0.14), _mix(color, _DARK, 0.38)
    if pattern == "edged":
        petal.fill(accent, border=border)
        petal.fill(color, along=0.84, across=0.64, start=0.02)
    else:
        petal.fill(color, border=border)
    if pattern == "throated":
        for step in range(6):
            petal.fill(_mix(color, accent, (step + 1) / 6), 0.78 - 0.08 * step, 0.86 - 0.08 * step)
        return
    petal.fill(_mix(color, base, 0.5), 0.66, 0.6)
    petal.fill(base, 0.5, 0.42)
    if pattern == "eyed":
        petal.fill(accent, 0.56, 0.72)
    if pattern == "striped":
        width = np.abs(petal.outline[:, 1]).max()
        for slope in (-0.75 * width, 0.0, 0.75 * width):
            petal.vein(accent, slope, 0.86 if slope == 0 else 0.78)


def _petal_outline(species: Species) -> np.ndarray:
    """Returns the petal along the x axis, from base 0 to tip 1, as float `[N, 2]`."""
    t = np.sin(np.linspace(0, np.pi / 2, 12))
    half = t**0.9 * (1 - t**1.5) ** 0.85 if species.tip == "pointed" else t**0.8 * (1 - t**6) ** 0.5
    half = half / half.max() * _HALF_WIDTH[species.petal_width]
    outline = np.concatenate([np.stack([t, half], 1), np.stack([t, -half], 1)[-2::-1]])
    if species.tip == "notched":
        across = outline[:, 1] / half.max()
        outline[:, 0] -= 0.26 * outline[:, 0] ** 4 * np.exp(-((across / 0.42) ** 2))
    return outline


def _draw_center(
    pen: ImageDraw.ImageDraw, species: Species, pose: Pose, rng: np.random.Generator
) -> None:
    radius = _CENTER_RADIUS[species.center_size]
    color = np.array(_CENTER_RGB[species.center_color]) * rng.uniform(0.9, 1.08)
    dark, bright = _mix(color, _DARK, 0.5), _mix(color, _WHITE, 0.5)

    def disc(center: Sequence[float] | np.ndarray, radius: float, color: np.ndarray) -> None:
        angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles)], 1)
        pen.polygon(pose.place(np.asarray(center) + radius * circle), _ink(color))

    if species.center == "stamens":
        disc((0, 0), 0.55 * radius, dark)
        for angle in 2 * np.pi * (np.arange(12) + rng.normal(0, 0.15, 12)) / 12:
            tip = 1.25 * radius * np.array([np.cos(angle), np.sin(angle)])
            width = max(1, round(0.03 * pose.radius))
            pen.line(pose.place(np.array([(0, 0), tip])), _ink(dark), width)
            disc(tip, 0.2 * radius, color)
        return
    disc((0, 0), radius, dark)
    if species.center == "disc":
        disc((0, 0), 0.9 * radius, color)
        disc((-0.15 * radius, -0.15 * radius), 0.5 * radius, _mix(color, bright, 0.35))
    elif species.center == "ringed":
        disc((0, 0), 0.92 * radius, bright)
        disc((0, 0), 0.62 * radius, dark)
        disc((0, 0), 0.34 * radius, color)
    else:
        for k in range(1, 22):  # The golden angle packs the seeds as in a sunflower.
            angle, distance = 2.39996 * k, 0.92 * radius * np.sqrt(k / 22)
            seed = distance * np.array([np.cos(angle), np.sin(angle)])
            disc(seed, 0.15 * radius, bright if k % 2 else color)


def _rgb(hue: float, saturation: float, value: float) -> np.ndarray:
    return 255 * np.array(colorsys.hsv_to_rgb(hue % 1, min(1, saturation), min(1, value)))


def _mix(color: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return (1 - share) * color + share * other


def _ink(color: np.ndarray) -> tuple[int, ...]:
    return tuple(int(channel) for channel in np.clip(color, 0, 255))
