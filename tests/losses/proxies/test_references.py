"""Our losses against the means that tools/record_references.py recorded from another library."""

import json
import pathlib

import numpy as np
import pytest
from keras import ops

from nfl_keras import losses

FILE = pathlib.Path(__file__).parent.parent / "pairs" / "references.json"
RECORDED = json.loads(FILE.read_text())
COUNT = 10
WAYS = {
    "norm_softmax": (losses.norm_softmax, (COUNT,), {"temperature": 0.05}),
    "proxy_anchor": (losses.proxy_anchor, (COUNT,), {"margin": 0.1, "scale": 32.0}),
    "soft_triple": (losses.soft_triple, (COUNT, 3), {"closeness": 0.0}),
}


def unit_vectors(seed, *shape):
    vectors = np.random.default_rng(seed).normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype("float32")


@pytest.mark.parametrize("name", RECORDED["batches"])
@pytest.mark.parametrize("way", WAYS)
def test_mean_is_that_of_pytorch_metric_learning(name, way):
    seed, width, labels = RECORDED["batches"][name].values()
    loss, per_class, settings = WAYS[way]
    proxies = unit_vectors(seed + 100, *per_class, width)
    values = loss(unit_vectors(seed, len(labels), width), np.array(labels), proxies, **settings)
    expected = RECORDED["pytorch_metric_learning"][name]["proxies"][way]
    assert float(ops.mean(values)) == pytest.approx(expected, rel=1e-4)
