import math

import numpy as np
import pytest
from keras import ops

from nfl_keras.layers.white_balance.planckian import (
    HIGHEST_PRESET,
    LARGEST_TINT,
    LOWEST_PRESET,
    SCENE_LIGHT,
    PlanckianShift,
    gains,
    linear_srgb,
    locus,
)

# Robertson's isotherms (1968, 1963 c2): mired, u, v, and the slope dv / du across the locus.
ISOTHERMS = [
    (125, 0.19462, 0.30141, -0.58204),
    (150, 0.19962, 0.30921, -0.70471),
    (175, 0.20525, 0.31647, -0.84901),
    (200, 0.21142, 0.32312, -1.0182),
    (225, 0.21807, 0.32909, -1.2168),
    (250, 0.22511, 0.33439, -1.4512),
    (300, 0.24010, 0.34308, -2.0637),
    (350, 0.25591, 0.34951, -2.9641),
]


def lights(*pairs):
    return ops.convert_to_tensor(np.array(pairs, "float32"))


def uv(kelvin, tint=0.0):
    kelvin = ops.convert_to_tensor(kelvin, "float32")
    return np.stack([np.asarray(x) for x in locus(kelvin, ops.convert_to_tensor(tint, "float32"))])


def kim_xy(kelvin):
    """The locus by Kim et al. 2002 (US 7,024,034), a cubic spline in CIE 1931 xy."""
    t = 1e3 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def srgb_of_xy(x, y):
    """Linear sRGB of luminance 1, by inverting the matrix of the primaries and white D65."""
    primaries = np.array([[0.64, 0.30, 0.15], [0.33, 0.60, 0.06], [0.03, 0.10, 0.79]])
    white = np.array([0.3127, 0.3290, 0.3583]) / 0.3290
    to_xyz = primaries * np.linalg.solve(primaries, white)
    return np.linalg.solve(to_xyz, np.array([x, y, 1 - x - y]) / y)


@pytest.mark.parametrize(("mired", "u", "v", "slope"), ISOTHERMS)
def test_locus_and_its_normals_are_robertsons(mired, u, v, slope):
    on = uv(1e6 / mired)
    np.testing.assert_allclose(on, (u, v), atol=1.5e-4)
    du, dv = uv(1e6 / mired, 0.01) - on
    assert dv > 0
    np.testing.assert_allclose(math.atan2(dv, du), math.atan2(-slope, -1), atol=0.02)
    np.testing.assert_allclose(math.hypot(du, dv), 0.01, rtol=1e-3)
    np.testing.assert_allclose(on - uv(1e6 / mired, -0.01), (du, dv), atol=1e-6)


def test_locus_passes_illuminant_a_and_beside_d65():
    u, v = uv(2856)
    x, y = 3 * u / (2 * u - 8 * v + 4), 2 * v / (2 * u - 8 * v + 4)
    np.testing.assert_allclose((x, y), (0.4476, 0.4074), atol=5e-4)
    # Daylight of 6,504 K lies 0.0032 off the locus, to the green.
    np.testing.assert_allclose(uv(6504, 0.0032), (0.1978, 0.3122), atol=2e-4)


def test_linear_srgb_of_d65_is_white_and_of_a_primary_is_that_primary():
    def of_xy(x, y):
        u, v = 4 * x / (12 * y - 2 * x + 3), 6 * y / (12 * y - 2 * x + 3)
        return np.asarray(linear_srgb(*(ops.convert_to_tensor(x, "float32") for x in (u, v))))

    np.testing.assert_allclose(of_xy(0.3127, 0.3290), (1, 1, 1), atol=2e-3)
    np.testing.assert_allclose(of_xy(0.64, 0.33), (1 / 0.2126, 0, 0), atol=5e-3)
    np.testing.assert_allclose(of_xy(0.30, 0.60), (0, 1 / 0.7152, 0), atol=5e-3)


@pytest.mark.parametrize("kelvin", [2850, 3200, 3800, 4550, 5200, 6500, 7500])
def test_gains_are_the_ratio_of_two_whites(kelvin):
    ratio = srgb_of_xy(*kim_xy(SCENE_LIGHT)) / srgb_of_xy(*kim_xy(kelvin))
    expected = ratio / (ratio @ (0.2126, 0.7152, 0.0722))
    np.testing.assert_allclose(gains(lights((kelvin, 0)))[0], expected, rtol=0.02)


def test_gains_keep_the_luminance_of_grays_and_go_the_right_way():
    drawn = np.random.default_rng(0).uniform((2850, -0.005), (7500, 0.005), (50, 2))
    found = np.asarray(gains(lights(*drawn)))
    np.testing.assert_allclose(found @ (0.2126, 0.7152, 0.0722), 1, rtol=1e-5)
    assert np.all(found > 0)
    scene, tungsten, shade, green, magenta = np.asarray(
        gains(lights((4550, 0), (2850, 0), (7500, 0), (4550, -0.005), (4550, 0.005)))
    )
    np.testing.assert_allclose(scene, 1, rtol=1e-5)
    assert tungsten[2] > 1.5 > 0.8 > tungsten[0]
    assert shade[0] > 1.2 > 0.7 > shade[2]
    # A camera set to a light on the magenta side makes the image greener, and the other way.
    assert green[1] / green[[0, 2]].mean() > 1.05
    assert magenta[1] / magenta[[0, 2]].mean() < 0.95


def test_images_change_in_linear_light():
    def decode(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    def encode(value):
        value = min(max(value, 0), 1)
        return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055

    images = np.random.default_rng(1).uniform(0, 255, (3, 6, 7, 3)).astype("float32")
    images[:, 0] = np.linspace(0, 20, 7)[:, None]
    images[:, 1] = 255
    drawn = lights((2850, 0.004), (7500, -0.005), (4550, 0))
    rendered = np.asarray(PlanckianShift().render(ops.convert_to_tensor(images), drawn))
    found_gains = np.asarray(gains(drawn), "float64")
    expected = np.empty(images.shape)
    for place in np.ndindex(images.shape):
        gain = found_gains[place[0], place[3]]
        expected[place] = 255 * encode(gain * decode(float(images[place]) / 255))
    np.testing.assert_allclose(rendered, expected, atol=2e-3)
    np.testing.assert_allclose(rendered[2], images[2], atol=5e-3)
    assert rendered.min() >= 0
    assert rendered.max() <= 255.001


def test_values_outside_0_to_255_stay_finite():
    images = np.array([-40.0, 0, 255, 300] * 3, "float32").reshape(1, 2, 2, 3)
    found = PlanckianShift().render(ops.convert_to_tensor(images), lights((2850, 0)))
    rendered = np.asarray(found)
    assert np.all((rendered >= 0) & (rendered <= 255.001))


def test_lights_are_uniform_in_mired_and_tint():
    uniform = np.array([(0, 0), (0.5, 0.5), (1, 1)], "float32")
    kelvin, tint = np.asarray(PlanckianShift().draw(uniform)).T
    np.testing.assert_allclose((kelvin[0], kelvin[2]), (HIGHEST_PRESET, LOWEST_PRESET), rtol=1e-5)
    np.testing.assert_allclose(1e6 / kelvin[1], (1e6 / kelvin[0] + 1e6 / kelvin[2]) / 2, rtol=1e-5)
    np.testing.assert_allclose(tint, (-LARGEST_TINT, 0, LARGEST_TINT), atol=1e-8)
