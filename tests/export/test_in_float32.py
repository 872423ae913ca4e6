"""Models that were trained in lower precision."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from nfl_keras.export.in_float32 import in_float32
from nfl_keras.export.saved_model import export_model
from nfl_keras.export.verification import as_image_set, sample_photographs
from nfl_keras.models import Embedder
from nfl_keras.retrieval import embed


def make_embedder(policy):
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    images = keras.Input((None, None, 3))
    maps = layers.Conv2D(6, 3, strides=2)(images)
    maps = layers.Activation("tanh")(layers.BatchNormalization()(maps))
    maps = layers.Conv2D(6, 3, groups=2)(maps)
    embedder = Embedder(keras.Model(images, maps), 4, 16, 1 / 127.5, -1.0, neck=True)
    statistics = np.random.default_rng(0).uniform(0.3, 1, (3, 4))
    embedder.get_layer("neck").set_weights(statistics)
    keras.config.set_dtype_policy(before)
    return embedder


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_model_of_mixed_precision_is_exported_in_float32(policy, tmp_path):
    mixed, plain = make_embedder(policy), make_embedder("float32")
    plain.set_weights(mixed.get_weights())
    photographs = as_image_set(sample_photographs(16))
    of_mixed, of_plain = embed(mixed, photographs), embed(plain, photographs)
    with in_float32(mixed) as precisions:
        assert precisions == [policy]
        np.testing.assert_allclose(embed(mixed, photographs), of_plain, atol=1e-6)
    np.testing.assert_array_equal(embed(mixed, photographs), of_mixed)

    version = export_model(mixed, tmp_path)
    np.testing.assert_array_equal(embed(mixed, photographs), of_mixed)
    card = json.loads((version / "model_card.json").read_text(encoding="utf-8"))
    assert card["checked"]["largest_difference"] <= 1e-4
    assert card["trained_in"]["precision"] == [policy]
    difference = np.abs(of_mixed - of_plain).max()
    assert card["trained_in"]["largest_difference"] >= 0.9 * difference > 1e-5
    assert card["trained_in"]["largest_difference"] < 0.05

    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    nodes = [node for function in functions for node in function.node_def]
    types = {node.attr["T"].type for node in nodes if node.op == "Conv2D"}
    assert types == {1}  # DT_FLOAT
    # The square root that is left is that of the embedding's norm.
    assert not [node.name for node in nodes if node.op == "Rsqrt" and "batch_norm" in node.name]


def test_a_model_in_float32_is_left_as_it_is():
    embedder = make_embedder("float32")
    embedder.make_predict_function()
    function = embedder.predict_function
    with in_float32(embedder) as precisions:
        assert precisions == []
        assert embedder.predict_function is function
