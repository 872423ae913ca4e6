import keras
import pytest

from nfl_keras.models import Embedder
from nfl_keras.retrieval.explaining.place_offset import place_offset


def embedder(padding):
    keras.utils.set_random_seed(0)
    pixels = outputs = keras.Input((32, 32, 3))
    for _ in range(3):
        if padding == "both sides":
            outputs = keras.layers.ZeroPadding2D(1)(outputs)
        kernel, padded = (2, "valid") if padding == "none" else (3, "same")
        padded = "valid" if padding == "both sides" else padded
        outputs = keras.layers.Conv2D(8, kernel, strides=2, padding=padded)(outputs)
    return Embedder(keras.Model(pixels, outputs), 4, 32)


@pytest.mark.parametrize(
    ("padding", "offset"),
    # By hand: place i of three convolutions of 3 x 3 is centered at pixel 8 i of 0..31 if both
    # sides are padded, at 8 i + 7 if the right and lower are, and a cell's middle is 8 i + 3.5.
    [("both sides", -0.5), ("right and below", 0.5), ("none", 0.0)],
)
def test_places_lie_where_the_convolutions_look(padding, offset):
    made = embedder(padding)
    assert place_offset(made) == offset
    assert place_offset(made) == offset
