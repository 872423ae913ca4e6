import numpy as np
import pytest

from nfl_keras.data.batches.inference_batches import inference_batches
from nfl_keras.data.decoding.decode import decode
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.errors import UserError


@pytest.fixture(scope="module")
def noisy(encoded, noise):
    """Twelve photographs of noise in three classes."""
    files = [encoded(noise(20, 15 + i, seed=i)) for i in range(12)]
    names = ["a", "b", "c"]
    return ImageSet([str(i) for i in range(12)], np.arange(12) % 3, names, files.__getitem__)


@pytest.mark.parametrize(("crops", "batch_size"), [(1, 12), (3, 5)])
def test_inference_batches_hold_every_photograph_in_order(noisy, crops, batch_size):
    taken = list(inference_batches(noisy, 16, crops, batch_size).as_numpy_iterator())
    full, rest = divmod(12, batch_size)
    assert [len(batch) for batch in taken] == [batch_size] * full + [rest] * (rest > 0)
    expected = [inference_crops(decode(noisy.read(i)), 16, crops) for i in range(12)]
    assert np.allclose(np.concatenate(taken), np.stack(expected), atol=1e-3)


def test_another_number_of_crops_is_refused(noisy):
    with pytest.raises(UserError, match="crops must be 1 or 3, not 2"):
        inference_batches(noisy, 16, crops=2)
