import numpy as np
import pytest
from keras import ops

from nfl_keras.retrieval import explain
from nfl_keras.retrieval.explaining.activation_gradients import activation_gradients, grid_side


def test_the_map_of_a_backbone_that_pools_inside_by_hand(make_embedder):
    embedder = make_embedder(kind="vectors")
    crops = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype("float32")
    other = np.array([0.5, -0.5, 0.5, -0.5, 0.0])
    found = activation_gradients(embedder, crops, other)

    last = embedder.backbone.get_layer("last")
    maps = ops.convert_to_numpy(last(crops / 127.5 - 1)).astype("float64")[0]
    kernel, bias = embedder.get_layer("projection").get_weights()
    f = maps.mean(axis=(0, 1)) @ kernel + bias
    norm = np.sqrt(f @ f)
    slope = kernel @ (other - (f @ other) * f / norm**2) / norm
    expected = np.array([[place @ slope / 16 for place in row] for row in maps])
    np.testing.assert_allclose(found, expected[None], rtol=1e-3, atol=1e-6)


def test_a_backbone_that_pools_inside_has_a_map_of_its_last_layer(make_embedder, photograph):
    found = explain(make_embedder(kind="vectors"), photograph(1), photograph(2))
    assert (found.is_exact, found.method, found.links) == (False, "gradient", ())
    assert found.maps[0].shape == (4, 6)
    assert found.similarity == pytest.approx(
        explain(make_embedder(kind="maps"), photograph(1), photograph(2)).similarity, abs=1e-5
    )


@pytest.mark.parametrize(
    ("shape", "side"),
    [
        ((2, 7, 7, 3), 7),
        ((2, 7, 6, 3), 0),
        ((2, 1, 1, 3), 0),
        ((2, 196, 8), 14),
        ((2, 261, 8), 16),
        ((2, 1, 8), 0),
        ((2, 8), 0),
    ],
)
def test_places_are_squares(shape, side):
    assert grid_side(shape) == side
