import math
import sys

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors import hog, lbp


@pytest.fixture
def without_scikit_image(monkeypatch):
    for name in ("skimage", "skimage.feature", "skimage.color"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("descriptor", [lbp, hog])
def test_without_scikit_image_the_extra_is_named(without_scikit_image, descriptor):
    with pytest.raises(UserError, match=r'pip install "nfl_keras\[descriptors\]"'):
        descriptor(np.zeros((1, 32, 32, 3)))


def brightness(gray, y, x):
    """Bilinear, with 0 outside of the image."""
    total = 0.0
    for i in (math.floor(y), math.floor(y) + 1):
        for j in (math.floor(x), math.floor(x) + 1):
            if 0 <= i < gray.shape[0] and 0 <= j < gray.shape[1]:
                total += gray[i, j] * max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j))
    return total


def bits(gray, i, j):
    turns = [2 * math.pi * p / 8 for p in range(8)]
    around = [(round(-math.sin(t), 5), round(math.cos(t), 5)) for t in turns]
    return tuple(brightness(gray, i + y, j + x) >= gray[i, j] for y, x in around)


def changes(pattern):
    return sum(pattern[p] != pattern[p - 1] for p in range(8))


def test_by_a_loop_over_pixels_up_to_the_order_of_bins():
    rng = np.random.default_rng(0)
    grays = rng.integers(0, 256, (3, 16, 12))
    found = lbp(np.repeat(grays[..., None], 3, axis=3), cells=2)
    assert found.shape == (3, 4 * 59)
    for row, gray in zip(found, grays, strict=True):
        squares = 0
        for part, (top, left) in zip(
            row.reshape(4, 59), [(0, 0), (0, 6), (8, 0), (8, 6)], strict=True
        ):
            counts = {}
            for i in range(top, top + 8):
                for j in range(left, left + 6):
                    pattern = bits(gray, i, j)
                    bin_ = pattern if changes(pattern) <= 2 else "others"
                    counts[bin_] = counts.get(bin_, 0) + 1
            squares += sum(count**2 for count in counts.values())
            expected = sorted([*counts.values(), *[0] * (59 - len(counts))])
            scaled = np.sort(part) / max(part) * max(counts.values())
            np.testing.assert_allclose(scaled, expected, atol=1e-4)
            assert part[58] / max(part) * max(counts.values()) == pytest.approx(counts["others"])
        assert np.linalg.norm(row) == pytest.approx(1)
        smallest = row[row > 0].min()
        assert smallest == pytest.approx(1 / math.sqrt(squares), rel=1e-4)


def test_of_a_flat_image_all_but_the_rim_have_one_pattern():
    found = lbp(np.full((1, 10, 10, 3), 200), cells=1)[0]
    assert found.max() == pytest.approx(64 / math.sqrt(64**2 + 4 * 8**2 + 4), rel=1e-5)
    assert np.count_nonzero(found) == 9  # inside, four sides, four corners
