"""What `import nfl_keras` gives, and when it loads."""

import importlib

import keras
import numpy as np
import pytest

import nfl_keras as nfl


@pytest.mark.tensorflow("the rooms data, report, retrieval and serving use it")
def test_every_public_name_is_there():
    for name in nfl.__all__:
        assert getattr(nfl, name) is not None
        assert name in dir(nfl)
    assert nfl.layers is importlib.import_module("nfl_keras.layers")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = nfl.nothing


def test_importing_the_package_imports_neither_keras_nor_tensorflow(in_a_fresh_process):
    imported = in_a_fresh_process("import nfl_keras, sys", "print(*sys.modules)").split()
    assert "nfl_keras" in imported
    assert not {"keras", "tensorflow", "numpy"} & set(imported)


def test_keras_loads_a_saved_embedder_in_a_fresh_process(tmp_path, in_a_fresh_process):
    embedder = nfl.models.Embedder("tiny", embedding_dim=8, image_size=32)
    embedder.save(tmp_path / "embedder.keras")
    images = np.full((1, 32, 32, 3), 100.0, "float32")
    in_a_fresh_process(
        "import keras",
        "import nfl_keras",
        "import numpy as np",
        f"embedder = keras.saving.load_model({str(tmp_path / 'embedder.keras')!r})",
        "vectors = embedder(np.full((1, 32, 32, 3), 100.0, 'float32'))",
        f"np.save({str(tmp_path / 'vectors.npy')!r}, keras.ops.convert_to_numpy(vectors))",
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "vectors.npy"),
        keras.ops.convert_to_numpy(embedder(images)),
        atol=1e-6,
    )
