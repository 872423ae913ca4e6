import keras
import keras_hub
import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras.errors import UserError
from nfl_keras.train import main as train

PIXELS = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    flags = "--epochs 1 --image-size 32 --embedding-dim 16 --evaluate-every 0 --check-images false"
    train([*flags.split(), "--classes-per-batch", "20", "--run-dir", str(folder)])
    return folder


def test_a_run_its_file_and_its_export_embed_alike(run, tmp_path):
    embedder = nfl.load(run)
    assert isinstance(embedder, nfl.models.Embedder)
    assert embedder.image_size == 32
    expected = keras.ops.convert_to_numpy(embedder(PIXELS))
    of_file = nfl.load(run / "checkpoints" / "last.keras")
    np.testing.assert_array_equal(of_file(PIXELS), expected)
    for _ in range(2):
        version = nfl.export_model(embedder, tmp_path)
    for folder in (tmp_path / "embedder", version):
        exported = nfl.load(folder)
        assert exported.image_size == 32
        np.testing.assert_allclose(exported(PIXELS), expected, atol=1e-5)


def test_a_preset_is_its_pooled_features(tmp_path):
    sizes = {"num_layers": 1, "num_heads": 1, "hidden_dim": 4, "mlp_dim": 4, "patch_size": 32}
    backbone = keras_hub.models.ViTBackbone(image_shape=(224, 224, 3), **sizes)
    backbone.save_to_preset(str(tmp_path / "preset"))
    embedder = nfl.load(tmp_path / "preset")
    assert (embedder.embedding_dim, embedder.image_size, embedder.output_shape[-1]) == (
        None,
        224,
        4,
    )


def test_a_run_over_several_splits_and_what_is_no_model_are_refused(tmp_path):
    (tmp_path / "config.yaml").write_text("data: {split_seeds: [0, 1]}\n")
    with pytest.raises(UserError, match=r"a run over several splits; name one .*split-0"):
        nfl.load(tmp_path)
    with pytest.raises(UserError, match="there is no file"):
        nfl.load(tmp_path / "gone.keras")
    with pytest.raises(UserError, match="cannot load the backbone"):
        nfl.load(tmp_path / "gone")
    dense = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    dense.save(tmp_path / "dense.keras")
    with pytest.raises(UserError, match="holds a Sequential; give a file with an"):
        nfl.load(tmp_path / "dense.keras")
    dense.export(tmp_path / "exported", verbose=False)
    with pytest.raises(UserError, match="is no model that nfl_keras has exported"):
        nfl.load(tmp_path / "exported")
