import numpy as np
from drawn_maps import drawn_maps, unit
from hypothesis import given

from nfl_keras.retrieval.descriptors import scda


def chosen_places(sums):
    """The places of the largest group above the mean, by walking from neighbor to neighbor."""
    mean = sum(sums.values()) / len(sums)
    left = [place for place, value in sums.items() if value > mean]
    groups = []
    while left:
        group = waiting = [left.pop(0)]
        while waiting:
            near = [
                (i, j)
                for i, j in left
                if any(abs(i - k) <= 1 and abs(j - m) <= 1 for k, m in waiting)
            ]
            left = [place for place in left if place not in near]
            group, waiting = group + near, near
        groups.append(group)
    return max(groups, key=len, default=list(sums))


@given(drawn_maps())
def test_by_a_walk_from_neighbor_to_neighbor(maps):
    _, height, width, channels = maps.shape
    for found, one in zip(scda(maps), maps.astype("float64"), strict=True):
        sums = {(i, j): sum(one[i, j].tolist()) for i in range(height) for j in range(width)}
        places = chosen_places(sums)
        columns = [[one[place][c] for place in places] for c in range(channels)]
        expected = [sum(column) / len(column) for column in columns] + [max(c) for c in columns]
        np.testing.assert_allclose(found, unit(expected), atol=1e-6)


def test_by_hand():
    maps = np.zeros((1, 4, 5, 2))
    maps[0, 0, 0] = 9, 9  # The largest sum, alone.
    maps[0, 1, 3], maps[0, 2, 4], maps[0, 3, 3] = (3, 1), (6, 0), (0, 5)  # Joined by corners.
    np.testing.assert_allclose(scda(maps)[0], unit([3, 2, 6, 5]), atol=1e-6)


def test_of_groups_as_large_the_first_counts():
    maps = np.zeros((1, 1, 5, 2))
    maps[0, 0, 1, 0], maps[0, 0, 3, 1] = 2, 7
    np.testing.assert_allclose(scda(maps)[0], unit([2, 0, 2, 0]), atol=1e-6)


def test_all_places_of_a_flat_map_count():
    maps = np.full((1, 3, 3, 2), 0.1)
    np.testing.assert_allclose(scda(maps)[0], [0.5] * 4, atol=1e-6)
