import functools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from upright import upright

from nfl_keras.data.views import augment as module
from nfl_keras.data.views.augment import augment, shorter_side

SIZE = 28
RESIZED = 32  # 28 * 256 / 224


def coordinates(height, width):
    """A photograph whose pixels say where they are: red is x and green is y."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x, y, np.zeros_like(x)], axis=-1)


@functools.cache
def view_maker(size, **arguments):
    @tf.function(input_signature=[tf.TensorSpec((None, None, 3)), tf.TensorSpec((), tf.int32)])
    def views(image, num_views):
        return tf.map_fn(
            lambda number: augment(image, size, (3, number), **arguments),
            tf.range(num_views),
            fn_output_signature=tf.float32,
        )

    return views


def many_views(image, num_views, size=SIZE, **arguments):
    return view_maker(size, **arguments)(np.float32(image), num_views).numpy()


def transform_of(view):
    """The affine map [x', y'] = A [x, y, 1] from a view of `coordinates` to the photograph.

    Fitted to the middle of the view, which no rotation brings to the photograph's border.
    """
    size = len(view)
    inner = slice(size // 4, size - size // 4)
    y, x = np.mgrid[inner, inner]
    columns = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)
    seen = view[inner, inner, :2].reshape(-1, 2).astype(np.float64)
    affine, residuals, _, _ = np.linalg.lstsq(columns, seen, rcond=None)
    assert residuals.max() < 1e-4
    return affine.T


def reflected(index, extent):
    """Positions along an axis whose ends are mirrors: 1 0 0 1 2 2 1 for an extent of 3."""
    index = index % (2 * extent)
    return min(index, 2 * extent - 1 - index)


def bilinear(image, affine, height, width):
    """A sampling by definition: four neighbors each, the photograph reflected at its borders."""
    image = np.float64(image)
    view = np.empty((height, width, 3))
    for y in range(height):
        for x in range(width):
            at_x, at_y = affine @ [x, y, 1.0]
            left, top = int(np.floor(at_x)), int(np.floor(at_y))
            part_x, part_y = at_x - left, at_y - top
            columns = [reflected(i, image.shape[1]) for i in (left, left + 1)]
            upper, lower = (
                (1 - part_x) * image[row, columns[0]] + part_x * image[row, columns[1]]
                for row in (reflected(i, image.shape[0]) for i in (top, top + 1))
            )
            view[y, x] = (1 - part_y) * upper + part_y * lower
    return view


def averaged(image, height, width):
    """Each new pixel the mean of the area that it covers."""

    def shares(new, old):
        edges = np.arange(new + 1) * old / new
        cells = np.arange(old)
        overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
        return np.maximum(overlap, 0) * new / old

    rows, columns = shares(height, image.shape[0]), shares(width, image.shape[1])
    return np.einsum("yi,ijc,xj->yxc", rows, np.float64(image), columns)


def brought_to(image, side):
    """The photograph with its shorter side as views are cropped from it."""
    height, width = image.shape[:2]
    scale = min(height, width) / side
    if scale > 16 / 15:
        return averaged(image, round(height / scale), round(width / scale))
    affine = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    new = (size * side // min(height, width) for size in (height, width))
    return bilinear(image, affine, *new)


@pytest.fixture(scope="module")
def drawn():
    """Of 4,000 views of a landscape: angle in degrees, mirrored or not, and corner (y, x)."""
    rows = []
    for view in many_views(coordinates(RESIZED, 44), 4000):
        affine = transform_of(view)
        turn = affine[:, :2]
        mirrored = np.linalg.det(turn) < 0
        if mirrored:
            turn = turn @ np.diag([-1, 1])
        assert np.allclose(turn.T @ turn, np.eye(2), atol=1e-4)
        middle = (SIZE - 1) / 2
        x, y = affine @ [middle, middle, 1.0] - middle
        rows.append((np.degrees(np.arctan2(turn[1, 0], turn[0, 0])), mirrored, y, x))
    return np.array(rows)


# ---- resize_shorter_side ----


# ---- augment ----


@pytest.mark.parametrize(("size", "side"), [(224, 256), (448, 512), (28, 32), (64, 73), (1, 1)])
def test_the_shorter_side_is_in_the_papers_proportion(size, side):
    assert shorter_side(size) == side


def test_the_same_seed_gives_the_same_view(noise):
    image = noise(50, 70)
    views = [augment(image, SIZE, seed).numpy() for seed in [(1, 2), (1, 2), (1, 3), (2, 2)]]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])
    assert not np.array_equal(views[0], views[3])


def test_in_a_dataset_a_seed_gives_the_bits_that_it_gives_alone(noise):
    images = [noise(30 + i, 50) for i in range(8)]
    seeds = tf.data.Dataset.range(8)
    photographs = tf.data.Dataset.from_generator(
        lambda: images, output_signature=tf.TensorSpec((None, None, 3), tf.uint8)
    )
    views = tf.data.Dataset.zip(photographs, seeds).map(
        lambda image, seed: augment(image, SIZE, (5, seed)), num_parallel_calls=4
    )
    assert views.element_spec == tf.TensorSpec((SIZE, SIZE, 3), tf.float32)
    for seed, view in enumerate(views.as_numpy_iterator()):
        assert np.array_equal(view, augment(images[seed], SIZE, (5, seed)))


@pytest.mark.parametrize("size", [1, 32, 57])
@pytest.mark.parametrize(
    ("height", "width"),
    [(50, 70), (70, 50), (60, 60), (10, 200), (3, 3), (1, 1), (2000, 2), (1, 5000), (23, 31)],
)
def test_views_are_squares_in_the_range_of_the_photograph(noise, size, height, width):
    image = np.clip(noise(height, width), 40, 220)
    views = many_views(image, 5, size)
    assert views.shape == (5, size, size, 3)
    assert views.dtype == np.float32
    # No black corner either: nothing is darker than the photograph.
    assert views.min() >= image.min() - 0.01
    assert views.max() <= image.max() + 0.01


def test_one_pixel_fills_the_view(noise):
    view = augment(noise(1, 1), SIZE, (0, 0))
    assert np.array_equal(view, np.broadcast_to(noise(1, 1), (SIZE, SIZE, 3)))


@pytest.mark.parametrize(
    ("height", "width"),
    [(32, 44), (45, 32), (34, 47), (20, 31), (23, 9), (35, 61), (64, 80), (50, 70), (90, 40)],
)
def test_without_rotation_a_view_is_a_crop_mirrored_or_not(noise, height, width):
    image = noise(height, width)
    whole = brought_to(image, RESIZED)
    assert min(whole.shape[:2]) == RESIZED
    crops = np.lib.stride_tricks.sliding_window_view(whole, (SIZE, SIZE), axis=(0, 1))
    crops = np.moveaxis(crops, 2, -1)
    found = set()
    for view in many_views(image, 60, max_rotation=0.0):
        places = [
            (*place, mirrored)
            for mirrored, crop in ((False, view), (True, view[:, ::-1]))
            for place in np.argwhere(np.abs(crops - crop).max(axis=(2, 3, 4)) < 0.02).tolist()
        ]
        assert len(places) == 1
        found.add(places[0])
    assert len(found) > 30
    assert {mirrored for _, _, mirrored in found} == {False, True}


def test_a_crop_of_a_photograph_of_the_right_size_keeps_its_values(noise):
    image = noise(RESIZED, 44)
    values = set(image.reshape(-1, 3).view("V3").ravel().tolist())
    for view in many_views(image, 20, max_rotation=0.0):
        assert np.array_equal(view, np.uint8(view))
        assert set(np.uint8(view).reshape(-1, 3).view("V3").ravel().tolist()) <= values


@pytest.mark.parametrize(
    ("height", "width", "max_rotation"),
    [(32, 44, 15.0), (44, 32, 180.0), (34, 47, 180.0), (20, 31, 180.0), (300, 32, 180.0)],
)
def test_a_view_is_a_bilinear_sampling_of_the_photograph(noise, height, width, max_rotation):
    # The same seed moves every photograph of one size in the same way.
    image = noise(height, width)
    views = many_views(image, 12, max_rotation=max_rotation)
    places = many_views(coordinates(height, width), 12, max_rotation=max_rotation)
    for view, place in zip(views, places, strict=True):
        expected = bilinear(image, transform_of(place), SIZE, SIZE)
        # The transform is known to 1e-5 of a pixel, across which noise differs by 255.
        assert np.abs(view - expected).max() < 0.1


@pytest.mark.parametrize(("height", "width"), [(64, 90), (120, 50), (36, 50)])
def test_a_large_photograph_is_averaged_before_it_is_turned(noise, height, width):
    image = noise(height, width)
    reduced = np.float32(brought_to(image, RESIZED))
    for view, expected in zip(many_views(image, 12), many_views(reduced, 12), strict=True):
        assert np.abs(view - expected).max() < 0.02


def test_bytes_and_floats_are_sampled_alike(noise):
    image = noise(30, 50)
    assert np.array_equal(augment(image, SIZE, (1, 2)), augment(np.float32(image), SIZE, (1, 2)))


def test_a_turned_view_agrees_with_pillow():
    # Pillow turns about a given center, too; a smooth photograph forgives its rounding.
    y, x = np.mgrid[:RESIZED, :RESIZED] / RESIZED
    plane = np.float32(127 + 100 * np.sin(3 * x + 1) * np.cos(2 * y))
    image = np.stack([plane] * 3, axis=-1)
    places = many_views(coordinates(RESIZED, RESIZED), 20)
    for view, place in zip(many_views(image, 20), places, strict=True):
        affine = transform_of(place)
        mirrored = np.linalg.det(affine[:, :2]) < 0
        middle = (SIZE - 1) / 2
        center = affine @ [middle, middle, 1.0]
        # Degrees counter-clockwise, where y points down.
        angle = -np.degrees(np.arctan2(-affine[0, 1], affine[1, 1]))
        turned = Image.fromarray(plane).rotate(
            -angle, Image.Resampling.BILINEAR, center=tuple(center + 0.5)
        )
        top, left = np.round(center[::-1] - middle).astype(int)
        crop = np.asarray(turned)[top : top + SIZE, left : left + SIZE]
        inner = slice(6, SIZE - 6)
        expected = crop[:, ::-1] if mirrored else crop
        assert np.abs(view[inner, inner, 0] - expected[inner, inner]).max() < 1.0


def test_angles_are_uniform_within_15_degrees(drawn):
    angles = np.sort(drawn[:, 0])
    assert -15.01 < angles[0] < -14.9
    assert 14.9 < angles[-1] < 15.01
    expected = (angles + 15) / 30
    distance = np.abs(expected - np.linspace(0, 1, len(angles))).max()
    assert distance < 1.63 / np.sqrt(len(angles))  # Kolmogorov and Smirnov, 1 %


def test_max_rotation_is_in_degrees():
    views = many_views(coordinates(RESIZED, RESIZED), 300, max_rotation=40.0)
    turns = [transform_of(view)[1, 0] for view in views]
    assert 39 < np.degrees(np.arcsin(np.abs(turns).max())) < 40.01


def test_half_of_the_views_are_mirrored(drawn):
    assert abs(drawn[:, 1].mean() - 0.5) < 3 * 0.5 / np.sqrt(len(drawn))


def test_mirroring_can_be_left_out(noise):
    image = coordinates(RESIZED, 44)
    views = many_views(image, 60, mirror=False)
    assert all(np.linalg.det(transform_of(view)[:, :2]) > 0 for view in views)
    both = many_views(image, 60)
    same = [np.array_equal(one, other) for one, other in zip(views, both, strict=True)]
    assert 15 < sum(same) < 45


@pytest.mark.parametrize(("column", "places"), [(2, RESIZED - SIZE + 1), (3, 44 - SIZE + 1)])
def test_every_place_of_the_crop_is_as_likely(drawn, column, places):
    corners = np.round(drawn[:, column])
    assert np.abs(drawn[:, column] - corners).max() < 1e-3
    counts = np.bincount(corners.astype(int))
    assert len(counts) == places
    expected = len(drawn) / places
    assert np.abs(counts - expected).max() < 4 * np.sqrt(expected)


def test_angle_mirroring_and_place_are_independent(drawn):
    correlations = np.corrcoef(drawn.T) - np.eye(4)
    assert np.abs(correlations).max() < 4 / np.sqrt(len(drawn))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extent", [(30, 47), (32, 200), (64, 90), (90, 64), (64, 1300)])
def test_a_view_of_a_turned_photograph_is_that_of_the_upright_one(noise, extent, orientation):
    image = noise(*extent)
    views = many_views(image, 4, max_rotation=40.0, orientation=orientation)
    expected = many_views(upright(image, orientation), 4, max_rotation=40.0)
    assert np.abs(views - expected).max() < 0.02


@pytest.mark.parametrize("extent", [(64, 64 * 40), (64 * 40, 64)])
def test_a_view_of_a_long_photograph_is_that_of_the_whole_averaged(noise, extent):
    image = noise(*extent)
    height, width = extent
    reduced = image.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3), dtype=np.float32)
    for view, expected in zip(many_views(image, 12), many_views(reduced, 12), strict=True):
        assert np.abs(view - expected).max() < 0.02


def test_of_a_long_photograph_only_a_part_is_averaged(monkeypatch, noise):
    image = noise(45, 45 * 30)
    averaged = []
    whole = module.resize_shorter_side
    monkeypatch.setattr(
        module,
        "resize_shorter_side",
        lambda part, *_: averaged.append(part.shape) or whole(part, *_),
    )
    augment(image, SIZE, (0, 0))
    assert averaged == [(45, 180, 3)]


def test_views_of_a_long_photograph_come_from_all_of_it():
    # A tenth of the coordinates, since what is averaged is clipped at 255.
    places = 10 * many_views(coordinates(45, 45 * 30) / 10, 300)[..., 0].mean(axis=(1, 2))
    expected = (np.sort(places) - 20) / (45 * 29)
    assert np.abs(expected - np.linspace(0, 1, 300)).max() < 1.63 / np.sqrt(300)
