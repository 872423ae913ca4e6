import io

import numpy as np
import pytest
from PIL import Image

from nfl_keras.data.batches.inference_batches import inference_batches, usable_batches
from nfl_keras.data.image_set import ImageSet


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_good_photographs_give_what_they_give_alone(noise, crops, batch_size):
    good = {}
    for i in (0, 2, 3, 6):
        file = io.BytesIO()
        Image.fromarray(noise(30 + i, 40)).save(file, "PNG")
        good[i] = file.getvalue()
    cut = good[0][:60]
    files = [good.get(i, b"text" if i % 2 else cut) for i in range(7)]

    def read(position):
        if position == 4:
            raise OSError("gone")
        return files[position]

    whole = ImageSet([f"{i}" for i in range(7)], [0] * 7, ["all"], read)
    batches, reasons = usable_batches(whole, 24, crops, batch_size)
    found = list(batches.as_numpy_iterator())
    assert np.concatenate([positions for positions, _ in found]).tolist() == [0, 2, 3, 6]
    assert max(len(positions) for positions, _ in found) <= batch_size
    alone = inference_batches(whole.subset([0, 2, 3, 6]), 24, crops, 64)
    [expected] = list(alone.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([views for _, views in found]), expected)
    assert reasons == {
        1: "not an image",
        4: "reading it ended in OSError: gone",
        5: "not an image",
    }
