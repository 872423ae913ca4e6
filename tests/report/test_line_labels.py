import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.report.line_labels import shorten_label, spread_labels

heights = st.lists(st.floats(0, 1), max_size=8)
gaps = st.floats(0.001, 0.3)


@given(heights, gaps)
def test_names_keep_their_order_and_their_distance(heights, gap):
    placed = spread_labels(heights, gap)
    stacked = sorted(placed)
    assert all(high - low >= gap - 1e-9 for low, high in itertools.pairwise(stacked))
    for i, wish in enumerate(heights):
        for j, other in enumerate(heights):
            assert not (wish < other and placed[i] > placed[j])


@given(heights, gaps)
def test_names_stay_in_the_panel_if_there_is_room(heights, gap):
    if (len(heights) - 1) * gap <= 1:
        assert all(-1e-9 <= place <= 1 + 1e-9 for place in spread_labels(heights, gap))


@given(heights, gaps)
def test_no_simple_push_upwards_moves_names_less(heights, gap):
    pushed = []
    for height in sorted(heights):
        pushed.append(max(height, pushed[-1] + gap) if pushed else height)
    if not pushed or pushed[-1] > 1:
        return

    def moved(places):
        return sum((a - b) ** 2 for a, b in zip(sorted(heights), places, strict=True))

    assert moved(sorted(spread_labels(heights, gap))) <= moved(pushed) + 1e-9


def test_names_far_apart_stay_and_equal_ones_part_evenly():
    assert spread_labels([0.9, 0.1], 0.2) == pytest.approx([0.9, 0.1])
    assert spread_labels([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])


def test_names_at_the_floor_rise_and_at_the_ceiling_sink():
    assert spread_labels([0.0, 0.0], 0.25) == [0.0, 0.25]
    assert spread_labels([1.0, 1.0], 0.25) == [0.75, 1.0]


def test_long_and_unprintable_names():
    assert shorten_label("L_D") == "L_D"
    assert shorten_label("x" * 21) == "x" * 19 + "…"
    assert shorten_label("a\x00b\udcff") == "a b "
