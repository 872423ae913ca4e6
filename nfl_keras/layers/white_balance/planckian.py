"""Defines an approximation of white-balance errors by light along the Planckian locus."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# The presets of the emulated cameras, tungsten to shade, in kelvin.
LOWEST_PRESET, HIGHEST_PRESET = 2850.0, 7500.0
# Largest distance from the locus in CIE 1960 uv, on both sides.
LARGEST_TINT = 0.005
# The light of the scene, in kelvin. Under it the presets tungsten, fluorescent, daylight, cloudy
# and shade (2,850, 3,800, 5,200, 6,000 and 7,500 K) tint a gray of 0.5 as the published emulator
# does in the mean of 40 photographs of flowers and cars (0.08 rms of the log gains; 6,500 K, the
# white of sRGB, misses warm renderings). The tints of 9 in 10 lie within LARGEST_TINT.
SCENE_LIGHT = 4550.0

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_XYZ_TO_SRGB = (
    (3.2406, -1.5372, -0.4986),
    (-0.9689, 1.8758, 0.0415),
    (0.0557, -0.2040, 1.0570),
)


class PlanckianShift:
    """A rendering as by a camera that is set to another light than the scene's.

    The camera's light has a correlated color temperature uniform in mired (1e6 / kelvin) and a
    tint, a distance from the locus that is uniform, too. If w(T, tint) is the linear sRGB of a
    light, the gains are w(scene, 0) / w(T, tint), divided by the luminance that they give to
    white. The rendering multiplies the image by the gains and clips the result to 0..255. A low
    temperature (tungsten) gives a bluish image, a high temperature (shade) a reddish image.

    Reference: the locus in CIE 1960 uv, Krystek, An algorithm to calculate correlated color
    temperature, Color Research & Application 10(1), 1985 (1,000 to 15,000 K, to 1e-4); sRGB,
    IEC 61966-2-1:1999.
    """

    description = "random shift along the Planckian locus (no published parameters given)"

    def draw(self, uniform: Tensor) -> Tensor:
        """Turns numbers `[B, 2]`, uniform in 0..1, into lights `[B, 2]` (kelvin, tint)."""
        lowest, highest = 1e6 / HIGHEST_PRESET, 1e6 / LOWEST_PRESET
        mired = lowest + (highest - lowest) * uniform[:, 0]
        return ops.stack([1e6 / mired, LARGEST_TINT * (2 * uniform[:, 1] - 1)], axis=-1)

    def as_draws(self, light: Any, count: int) -> Tensor:
        """Turns one light (kelvin, tint), or `[count, 2]` lights, into draws `[count, 2]`.

        Raises:
            UserError: if `light` is not a light of 1,000 to 15,000 K.
        """
        light = np.asarray(light, "float32")
        if light.shape[-1:] != (2,) or np.any(light[..., 0] < 1000) or np.any(light[..., 0] > 15e3):
            raise UserError(
                "without published parameters, a style is a light: a temperature in 1,000 to "
                f"15,000 kelvin and a tint, not {light.tolist()}."
            )
        return ops.broadcast_to(light, (count, 2))

    def render(
        self,
        images: Tensor,
        lights: Tensor,
        fuse: Callable[[Callable], Callable] = lambda function: function,
    ) -> Tensor:
        """Renders images as by a camera that is set to other lights.

        Args:
            images: float32 `[B, H, W, 3]`, in 0..255.
            lights: float32 `[B, 2]`: kelvin, and the distance from the locus in CIE 1960 uv,
                positive on the green side.
            fuse: function that compiles a function of tensors. Defaults to no compilation.

        Returns:
            float32 `[B, H, W, 3]`, in 0..255.
        """
        return fuse(_apply)(images, gains(lights))


def gains(lights: Tensor) -> Tensor:
    """Computes a camera's gains `[B, 3]` in linear sRGB, which keep the luminance of grays."""
    scene = linear_srgb(*locus(ops.full_like(lights[:, 0], SCENE_LIGHT)))
    ratio = scene / linear_srgb(*locus(lights[:, 0], lights[:, 1]))
    return ratio / ops.sum(ratio * ops.array(_LUMINANCE), axis=-1, keepdims=True)


def locus(kelvin: Tensor, tint: float | Tensor = 0.0) -> tuple[Tensor, Tensor]:
    """Computes CIE 1960 u and v of points on or beside the Planckian locus (Krystek's formula).

    Args:
        kelvin: float32 tensor, in 1,000..15,000.
        tint: float32 tensor, distance from the locus, positive toward green.
            Defaults to `0.0`.

    Returns:
        Two tensors of `kelvin`'s shape.
    """
    u, u_slope = _rational(
        kelvin, (0.860117757, 1.54118254e-4, 1.28641212e-7), (8.42420235e-4, 7.08145163e-7)
    )
    v, v_slope = _rational(
        kelvin, (0.317398726, 4.22806245e-5, 4.20481691e-8), (-2.89741816e-5, 1.61456053e-7)
    )
    length = ops.sqrt(u_slope**2 + v_slope**2)
    return u + tint * v_slope / length, v - tint * u_slope / length


def linear_srgb(u: Tensor, v: Tensor) -> Tensor:
    """Computes the linear sRGB `[..., 3]` of luminance 1 and CIE 1960 chromaticity u, v."""
    xyz = ops.stack([1.5 * u / v, ops.ones_like(u), (4 - u - 10 * v) / (2 * v)], axis=-1)
    return ops.sum(xyz[..., None, :] * ops.array(_XYZ_TO_SRGB), axis=-1)


def _rational(x, numerator, denominator):
    """Computes (a0 + a1 x + a2 x²) / (1 + b1 x + b2 x²), and its slope."""
    a0, a1, a2 = numerator
    b1, b2 = denominator
    above, below = a0 + x * (a1 + x * a2), 1 + x * (b1 + x * b2)
    slope = ((a1 + 2 * a2 * x) * below - above * (b1 + 2 * b2 * x)) / below**2
    return above / below, slope


def _apply(images, gains):
    encoded = images / 255
    linear = ops.where(
        encoded <= 0.04045,
        encoded / 12.92,
        ((ops.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4,
    )
    linear = ops.clip(linear * gains[:, None, None], 0.0, 1.0)
    encoded = ops.where(
        linear <= 0.0031308,
        12.92 * linear,
        1.055 * ops.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055,
    )
    return 255 * encoded
