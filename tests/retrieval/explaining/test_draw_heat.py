import numpy as np
from PIL import Image

from nfl_keras.retrieval.explaining.draw_heat import draw_heat

GRAY = Image.new("RGB", (80, 40), (128, 128, 128))
HEAT = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])


def test_heat_is_bright_where_the_map_is_high():
    drawn = np.asarray(draw_heat(GRAY, HEAT, (40, 80), [], 160)).astype(int)
    assert drawn.shape == (80, 160, 3)
    # Yellow is red and green without blue; the lowest is dark violet.
    assert drawn[10, 150, 0] > 180 > drawn[10, 150, 2] + 60
    assert drawn[70, 10].sum() < drawn[10, 150].sum()


def test_frames_lie_where_they_say_and_nowhere_else():
    plain = np.asarray(draw_heat(GRAY, HEAT, (400, 800), [], 160))
    framed = np.asarray(draw_heat(GRAY, HEAT, (400, 800), [(200, 0, 200, 200)], 160))
    rows, columns = np.nonzero(np.any(plain != framed, axis=-1))
    assert (columns.min(), columns.max()) == (40, 79)
    assert (rows.min(), rows.max()) == (0, 39)
    assert np.array_equal(framed[25, 60], plain[25, 60])


def test_flat_maps_and_thin_photographs_are_drawn():
    flat = draw_heat(GRAY, np.zeros((1, 1)), (40, 80), [(0, 0, 80, 40)], 50)
    assert flat.size == (50, 25)
    thin = draw_heat(Image.new("RGB", (512, 1)), HEAT, (10, 5120), [(0, 0, 1, 1)], 100)
    assert thin.size == (100, 1)
