import math
import pathlib
import shutil

import numpy as np
import pytest
from keras import ops
from PIL import Image

from nfl_keras.errors import UserError
from nfl_keras.layers.white_balance.published import PublishedEmulator

FILES = ["features.npy", "mappingFuncs.npy", "encoderWeights.npy", "encoderBias.npy"]


def histogram_by_loops(image, channel):
    """The histogram `[3600]` of one channel: a loop over pixels."""
    first, second = (other for other in range(3) if other != channel)
    width = 6.4 / 60
    sums = np.zeros((60, 60))
    for pixel in image.reshape(-1, 3).astype("float64") / 255:
        if min(pixel) <= 0:
            continue
        u = math.log(pixel[channel] / pixel[second])
        v = math.log(pixel[channel] / pixel[first])
        row, column = (math.floor((x - (-3.2 - width / 2)) / width) for x in (u, v))
        if 0 <= row < 60 and 0 <= column < 60:
            sums[row, column] += math.sqrt(sum(pixel**2))
    return np.sqrt(sums / sums.sum()).ravel()


def histogram_by_numpy(image, channel):
    """The same for images of many pixels, by `np.histogram2d`."""
    first, second = (other for other in range(3) if other != channel)
    pixels = image[np.all(image > 0, axis=-1)].astype("float64")
    u = np.log(pixels[:, channel] / pixels[:, second])
    v = np.log(pixels[:, channel] / pixels[:, first])
    limits = (-3.2 - 6.4 / 120, 3.2 - 6.4 / 120)
    weights = np.linalg.norm(pixels, axis=-1)
    sums = np.histogram2d(u, v, bins=60, range=(limits, limits), weights=weights)[0]
    return np.sqrt(sums / sums.sum()).ravel()


def mappings_by_loops(folder, image, histogram=histogram_by_loops):
    """The float64 mappings `[10, 9, 3]` of one image."""
    features, mappings, weights, bias = (
        np.load(pathlib.Path(folder) / name).astype("float64") for name in FILES
    )
    histograms = np.concatenate([histogram(image, channel) for channel in range(3)])
    feature = (histograms - bias[:, 0]) @ weights
    distances = np.array([np.sum((row - feature) ** 2) for row in features])
    nearest = np.argsort(distances)[:25]
    nearness = np.exp(-distances[nearest] / (2 * 0.25**2))
    expected = np.zeros((10, 9, 3))
    for style in range(10):
        for i, near in zip(nearest, nearness, strict=True):
            expected[style] += near / nearness.sum() * mappings[(i - 1) * 10 + style]
    return expected


def apply_by_loops(image, mapping):
    rendered = np.zeros(image.shape)
    for place in np.ndindex(image.shape[:2]):
        r, g, b = image[place].astype("float64") / 255
        terms = np.array([r, g, b, r * r, g * g, b * b, r * g, r * b, g * b])
        rendered[place] = 255 * np.clip(terms @ mapping, 0, 1)
    return rendered


def noise(shape, seed=0, low=0):
    return np.random.default_rng(seed).integers(low, 256, shape).astype("float32")


def gray(shape):
    return np.repeat(noise((*shape, 1), 3, low=1), 3, axis=-1)


def with_zeros(shape):
    image = noise((*shape, 3), 1)
    image[::2, ::3, 1] = 0
    image[0] = 0
    return image


ten_styles = np.arange(10, dtype="int32")


def ten_times(image):
    return np.repeat(image[None], 10, axis=0)


def mappings(emulator, images, styles):
    found = emulator.mappings(ops.convert_to_tensor(images), ops.convert_to_tensor(styles))
    return ops.convert_to_numpy(found)


def render(emulator, images, styles):
    found = emulator.render(ops.convert_to_tensor(images), ops.convert_to_tensor(styles))
    return ops.convert_to_numpy(found)


@pytest.mark.parametrize(
    "image",
    [
        noise((12, 10, 3)),
        noise((9, 14, 3), 2, low=90) / 3.7,
        with_zeros((10, 12)),
        gray((11, 8)),
        np.full((6, 5, 3), (200.0, 120.0, 40.0), "float32"),
    ],
    ids=["noise", "fractions", "zeros", "gray", "one color"],
)
def test_agrees_with_a_float64_loop(made_up_parameters, image):
    emulator = PublishedEmulator(made_up_parameters)
    expected = mappings_by_loops(made_up_parameters, image)
    found = mappings(emulator, ten_times(image), ten_styles)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    rendered = render(emulator, ten_times(image), ten_styles)
    for style in (0, 7):
        by_loops = apply_by_loops(image, expected[style])
        np.testing.assert_allclose(rendered[style], by_loops, atol=0.02)


def test_images_of_a_batch_do_not_mix(made_up_parameters):
    emulator = PublishedEmulator(made_up_parameters)
    images = np.stack([noise((8, 9, 3), 4), noise((8, 9, 3), 5, low=100), with_zeros((8, 9))])
    styles = np.array([9, 0, 4], "int32")
    together = render(emulator, images, styles)
    for image, style, rendered in zip(images, styles, together, strict=True):
        alone = render(emulator, image[None], style[None])[0]
        np.testing.assert_allclose(rendered, alone, atol=1e-2)


def test_images_above_202_500_pixels_are_shrunk_for_the_histogram(made_up_parameters):
    emulator = PublishedEmulator(made_up_parameters)
    image = noise((600, 400, 3), 6, low=1)
    scale = math.sqrt(202_500 / (600 * 400))
    size = (int(400 * scale), int(600 * scale))
    channels = [
        Image.fromarray(image[..., channel]).resize(size, Image.Resampling.BILINEAR)
        for channel in range(3)
    ]
    shrunk = np.stack([np.asarray(channel) for channel in channels], axis=-1)
    found = mappings(emulator, image[None], ten_styles[:1])[0]
    by_shrunk = mappings_by_loops(made_up_parameters, shrunk, histogram_by_numpy)[0]
    np.testing.assert_allclose(found, by_shrunk, atol=1e-3)
    square = image[:450, :450]
    at_limit = mappings(emulator, square[None], ten_styles[:1])[0]
    by_square = mappings_by_loops(made_up_parameters, square, histogram_by_numpy)[0]
    np.testing.assert_allclose(at_limit, by_square, atol=1e-3)
    by_all = mappings_by_loops(made_up_parameters, image, histogram_by_numpy)[0]
    assert np.abs(by_all - by_shrunk).max() > 0.01
    rendered = render(emulator, image[None], ten_styles[:1])
    assert rendered.shape == (1, 600, 400, 3)


def test_the_first_neighbor_has_the_mapping_of_the_last(made_up_parameters, tmp_path):
    for name in FILES:
        shutil.copy(pathlib.Path(made_up_parameters) / name, tmp_path)
    published = np.load(tmp_path / "mappingFuncs.npy")
    image = noise((6, 6, 3))
    np.save(tmp_path / "encoderWeights.npy", np.zeros((10800, 55), "float32"))
    for nearest, row in ((0, 17960), (1, 0), (1796, 17950)):
        features = np.full((1797, 55), 50.0, "float32")
        features[nearest] = 0
        np.save(tmp_path / "features.npy", features)
        found = mappings(PublishedEmulator(tmp_path), ten_times(image), ten_styles)
        np.testing.assert_allclose(found, published[row : row + 10], rtol=1e-5)


@pytest.mark.parametrize(
    "color", [(0, 0, 0), (255, 0, 0), (0, 90, 30), (255, 3, 3), (0.001, 200, 100)]
)
def test_an_image_with_an_empty_histogram_stays_as_it_is(made_up_parameters, color):
    emulator = PublishedEmulator(made_up_parameters)
    images = np.stack([np.full((4, 5, 3), color, "float32"), noise((4, 5, 3), low=50)])
    rendered = render(emulator, images, ten_styles[2:4])
    np.testing.assert_allclose(rendered[0], images[0], atol=1e-3)
    assert np.abs(rendered[1] - images[1]).max() > 5


def test_far_neighbors_give_finite_weights(made_up_parameters, tmp_path):
    for name in FILES:
        shutil.copy(pathlib.Path(made_up_parameters) / name, tmp_path)
    far = np.load(tmp_path / "features.npy") + 1000
    np.save(tmp_path / "features.npy", far)
    found = mappings(PublishedEmulator(tmp_path), noise((1, 4, 4, 3)), ten_styles[:1])
    assert np.all(np.isfinite(found))


def test_each_style_is_drawn_with_equal_chance(made_up_parameters):
    uniform = np.stack([np.linspace(0, 1, 1000, endpoint=False)] * 2, axis=-1).astype("float32")
    uniform[-1] = 1 - 2**-24
    styles = np.asarray(PublishedEmulator(made_up_parameters).draw(uniform))
    np.testing.assert_allclose(np.bincount(styles, minlength=10), 100, atol=1)
    assert len(np.bincount(styles)) == 10


@pytest.mark.parametrize("k", [0, 1])
def test_agrees_with_the_published_program(published_parameters, k):
    vectors = np.load(pathlib.Path(published_parameters) / "vectors.npz")
    images = ten_times(vectors[f"input_{k}"].astype("float32"))
    emulator = PublishedEmulator(published_parameters)
    found = mappings(emulator, images, ten_styles)
    np.testing.assert_allclose(found, vectors[f"mapping_{k}"], atol=1e-4)
    rendered = np.floor(render(emulator, images, ten_styles))
    difference = np.abs(rendered - vectors[f"outputs_{k}"])
    assert difference.max() <= 1
    assert np.mean(difference == 0) > 0.9999


def spoil_by_removing(path):
    path.unlink()


def spoil_with_text(path):
    path.write_text("<html>not found</html>")


def spoil_by_truncating(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_by_emptying(path):
    path.write_bytes(b"")


def spoil_with_a_pickle(path):
    np.save(path, np.full(np.load(path).shape[:1], None), allow_pickle=True)


def spoil_with_an_archive(path):
    array = np.load(path)
    with path.open("wb") as file:
        np.savez(file, array)


def spoil_with_another_shape(path):
    np.save(path, np.load(path)[:-1])


def spoil_with_another_type(path):
    np.save(path, np.load(path) > 0)


def spoil_with_nan(path):
    array = np.load(path)
    array.flat[-1] = np.nan
    np.save(path, array)


@pytest.mark.parametrize("name", ["encoderBias.npy", "features.npy"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_by_removing, "No such file"),
        (spoil_with_text, "cannot be read"),
        (spoil_by_truncating, "cannot be read"),
        (spoil_by_emptying, "cannot be read"),
        (spoil_with_a_pickle, "cannot be read"),
        (spoil_with_an_archive, "archive"),
        (spoil_with_another_shape, "must hold"),
        (spoil_with_another_type, "of bool"),
        (spoil_with_nan, "not finite"),
    ],
)
def test_an_unusable_file_is_named_in_one_line(made_up_parameters, tmp_path, name, spoil, words):
    for file in FILES:
        (tmp_path / file).symlink_to(pathlib.Path(made_up_parameters) / file)
    (tmp_path / name).unlink()
    shutil.copy(pathlib.Path(made_up_parameters) / name, tmp_path)
    spoil(tmp_path / name)
    with pytest.raises(UserError, match=words) as raised:
        PublishedEmulator(tmp_path)
    assert str(tmp_path / name) in str(raised.value)
    assert "\n" not in str(raised.value)
