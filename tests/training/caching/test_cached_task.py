import types

import keras
import numpy as np
import pytest
from keras import layers

from nfl_keras.data import inference_batches, load
from nfl_keras.training.caching import cached_task
from nfl_keras.training.caching.cached_task import CachedCrops


@pytest.mark.parametrize("crops", [1, 3])
def test_crops_are_cached_once_and_shown_while_they_are_embedded(
    crops, tmp_path, monkeypatch, shown_lines
):
    monkeypatch.setattr(cached_task, "_BATCH_SIZE", 2)
    images = keras.Input((16, 16, 3))
    cut = types.SimpleNamespace(lower=keras.Model(images, layers.AveragePooling2D(8)(images)))
    blooms = load("blooms").subset(range(5))
    cached = CachedCrops(tmp_path, "key", cut, blooms, 3)
    found = list(cached.outputs(lambda lower: lower.sum(axis=(1, 2)), crops))
    assert shown_lines() == [
        *[f"{count} of 5 photographs cached" for count in (2, 4)],
        *[f"{count} of 5 cached photographs" for count in (2, 4)],
    ]
    (pixels,) = inference_batches(blooms, 16, crops, 5)
    quarters = np.reshape(pixels, (5, crops, 2, 8, 2, 8, 3)).astype(np.float64)
    expected = quarters.mean(axis=(3, 5)).sum(axis=(2, 3))
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-5)
    list(cached.outputs(lambda lower: lower.sum(axis=(1, 2)), crops))
    assert shown_lines() == [f"{count} of 5 cached photographs" for count in (2, 4)]
