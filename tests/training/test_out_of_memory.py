"""A run that lacks memory says at once what to lower."""

import pytest
import tensorflow as tf

from nfl_keras import evaluate, train
from nfl_keras.data.decoding import explain_photograph_errors
from nfl_keras.models import Embedder, NoiseInvariantModel


def hungry(self, images, training=False):
    """Needs 256 TiB."""
    return tf.reshape(images, (tf.shape(images)[0], -1))[:, :16] + tf.reduce_sum(
        tf.random.uniform((2**46,))
    )


@pytest.fixture
def each_photograph_is_decoded_once(monkeypatch):
    monkeypatch.setattr(explain_photograph_errors, "check_images", lambda photographs: 1 / 0)


@pytest.mark.usefixtures("each_photograph_is_decoded_once")
def test_training_says_what_to_lower(quick, tmp_path, capsys, monkeypatch):
    views = NoiseInvariantModel.views

    def many(self, images, training):
        return {n: v + hungry(None, v)[0, 0] for n, v in views(self, images, training).items()}

    monkeypatch.setattr(NoiseInvariantModel, "views", many)
    with pytest.raises(SystemExit) as ended:
        train.main(quick(epochs=1))
    assert ended.value.code == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("error: not enough memory for a batch of 6 photographs")
    for now in (
        "images_per_class (now 2)",
        "classes_per_batch (now 3)",
        "image_size (now 16)",
        "chunk_size (now 0)",
        "precision mixed_bfloat16 (now float32)",
    ):
        assert now in line
    assert "\n" not in line


@pytest.mark.usefixtures("each_photograph_is_decoded_once")
def test_evaluation_says_what_to_lower(shared, capsys, monkeypatch):
    run = shared(epochs=1)
    monkeypatch.setattr(Embedder, "call", hungry)
    with pytest.raises(SystemExit) as ended:
        evaluate.main([str(run.path)])
    assert ended.value.code == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("error: not enough memory for 64 photographs at a time")
    assert "lower crops (now 1) or image_size (now 16), or in Python batch_size (now 64)" in line
