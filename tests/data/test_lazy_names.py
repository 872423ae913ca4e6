"""`nfl_keras.data` gives its names without importing TensorFlow before it is needed."""

import subprocess
import sys

import pytest

import nfl_keras.data


@pytest.mark.parametrize("name", nfl_keras.data.__all__)
def test_every_public_name_is_the_object_of_that_name(name):
    assert getattr(nfl_keras.data, name).__name__ == name


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = nfl_keras.data.lode


def test_what_needs_no_tensorflow_imports_none():
    code = (
        "import sys; from nfl_keras.data import BalancedSampler, Dataset, ImageSet\n"
        "from nfl_keras.data.decoding.checked_bytes import checked_bytes\n"
        "from nfl_keras.data.sources.blooms import blooms\n"
        "blooms(num_species=2).read(0)\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
