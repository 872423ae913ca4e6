import keras
import numpy as np

from nfl_keras.models.depth import blocks_above


def above_of(backbone):
    above = blocks_above(backbone)
    return {weight.path: above[id(weight)] for weight in backbone.weights}


def test_a_stage_of_convolutions_is_one_block():
    images = keras.Input((16, 16, 3))
    maps = images
    names = ["stem_conv", "block1a_conv", "block1b_conv", "block12a_conv", "top_conv"]
    for name in names:
        maps = keras.layers.Conv2D(2, 1, name=name)(maps)
    above = above_of(keras.Model(images, maps))
    assert [above[f"{name}/kernel"] for name in names] == [3, 2, 2, 1, 0]
    assert above["stem_conv/bias"] == 3


def test_each_block_within_an_encoder_is_one_and_what_surrounds_them_is_two():
    class Encoder(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="dino2_encoder")
            dense = keras.layers.Dense
            self.blocks = [keras.Sequential([dense(4)], name=f"layers_{i}") for i in range(3)]

        def call(self, tokens):
            for block in self.blocks:
                tokens = block(tokens)
            return tokens

    tokens = keras.Input((5, 4))
    first = keras.layers.Dense(4, name="embeddings")
    last = keras.layers.LayerNormalization(name="norm")
    backbone = keras.Model(tokens, last(Encoder()(first(tokens))))
    above = blocks_above(backbone)
    assert np.unique([above[id(w)] for w in first.weights]) == [4]
    encoder = backbone.get_layer("dino2_encoder")
    assert [above[id(block.layers[0].kernel)] for block in encoder.blocks] == [3, 2, 1]
    assert above[id(last.gamma)] == 0
