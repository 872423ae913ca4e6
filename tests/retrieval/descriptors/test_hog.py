import math

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors import hog


def gradient(channel, i, j, axis):
    """Central difference, 0 at the rim."""
    place = (i, j)[axis]
    if not 0 < place < channel.shape[axis] - 1:
        return 0.0
    before, after = [i, j], [i, j]
    before[axis] -= 1
    after[axis] += 1
    return float(channel[tuple(after)]) - float(channel[tuple(before)])


def strongest(image, i, j):
    """Magnitude and orientation in degrees of the channel that changes most."""
    found = []
    for c in range(3):
        y, x = (gradient(image[..., c], i, j, axis) for axis in (0, 1))
        found.append((math.hypot(y, x), math.degrees(math.atan2(y, x)) % 180))
    return max(found, key=lambda pair: pair[0])


def block_of(cells):
    """L2-Hys of four histograms."""
    values = [value for cell in cells for value in cell]
    for largest in (0.2, math.inf):
        norm = math.sqrt(sum(value**2 for value in values) + 1e-5**2)
        values = [min(value / norm, largest) for value in values]
    return values


def test_by_a_loop_over_pixels():
    images = np.random.default_rng(0).integers(0, 256, (2, 13, 16, 3))
    found = hog(images, cell=4)
    assert found.shape == (2, 2 * 3 * 36)
    for row, image in zip(found, images, strict=True):
        cells = np.zeros((3, 4, 9))
        for i in range(12):
            for j in range(16):
                magnitude, degrees = strongest(image, i, j)
                cells[i // 4, j // 4, int(degrees // 20)] += magnitude / 16
        values = []
        for a in range(2):
            for b in range(3):
                block = [cells[a + i, b + j].tolist() for i in (0, 1) for j in (0, 1)]
                values += block_of(block)
        norm = math.sqrt(sum(value**2 for value in values))
        np.testing.assert_allclose(row, [value / norm for value in values], atol=1e-5)


def test_an_upright_edge_has_one_orientation():
    image = np.zeros((1, 32, 32, 3))
    image[:, :, 16:] = 255
    found = hog(image)[0].reshape(4, 9)
    assert np.count_nonzero(found[:, 0]) == 4
    assert found[:, 1:].max() == 0
    np.testing.assert_allclose(found[:, 0], 0.5, atol=1e-6)


def test_images_of_fewer_than_two_cells_are_refused():
    with pytest.raises(UserError, match="40 x 31 pixels have fewer cells of 16; lower cell"):
        hog(np.zeros((1, 40, 31, 3)))
