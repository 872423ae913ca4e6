import io

import keras
import numpy as np
from PIL import Image

from nfl_keras.data.image_set import ImageSet
from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.embed_usable import embed_usable


def photograph_bytes(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_good_ones_are_embedded_as_by_embed_and_the_others_say_why():
    images = keras.Input((8, 8, 3))
    means = keras.layers.GlobalAveragePooling2D()(images)
    model = keras.Model(images, keras.layers.UnitNormalization()(means))
    model.image_size = 8
    black = photograph_bytes(np.zeros((9, 9, 3), np.uint8))
    rng = np.random.default_rng(0)
    good = [photograph_bytes(rng.integers(1, 256, (9, 20, 3), dtype=np.uint8)) for _ in range(5)]
    files = [good[0], b"", good[1], black, good[2], good[3], good[4], good[0][:80]]
    whole = ImageSet([f"{i}" for i in range(8)], [0] * 8, ["all"], files.__getitem__)
    vectors, failed = embed_usable(model, whole, batch_size=2)
    assert failed == {
        1: "zero bytes",
        3: "its embedding has no direction, since it is zero or not finite",
        7: "truncated or damaged",
    }
    usable = [0, 2, 4, 5, 6]
    np.testing.assert_allclose(vectors[usable], embed(model, whole.subset(usable)), atol=1e-6)
    assert not vectors[[1, 3, 7]].any()
