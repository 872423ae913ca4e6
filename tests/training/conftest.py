import contextlib
import io
import types

import keras
import keras_hub
import pytest

from nfl_keras import train
from nfl_keras.training.config import TrainConfig


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    """A preset folder with a network of two convolutions."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset") / "vgg_2"
    keras_hub.models.VGGBackbone(
        stackwise_num_repeats=[1, 1], stackwise_num_filters=[8, 16]
    ).save_to_preset(folder)
    return folder


@pytest.fixture
def photographs(draw_photographs, tmp_path):
    """A folder of 6 class folders with 8 small pictures each, told apart by their colors."""
    return draw_photographs(tmp_path / "photographs")


@pytest.fixture
def config_of(photographs):
    """Function from further settings to a config of the 48 photographs."""
    return lambda **settings: TrainConfig.from_settings(dataset=str(photographs), **settings)


@pytest.fixture(scope="session")
def truncate():
    """Function that cuts off the second half of a file."""

    def cut(path):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    return cut


@pytest.fixture
def two_bad(photographs, truncate):
    """Spoils two of the photographs; the ids and reasons."""
    truncate(photographs / "class 1" / "2.jpg")
    (photographs / "class 4" / "7.jpg").write_text("<html>not found</html>")
    return {"class 1/2.jpg": "truncated or damaged", "class 4/7.jpg": "not an image"}


@pytest.fixture(scope="session")
def quick_in(preset):
    """Function from a folder to flags of a run that takes seconds, on its photographs."""

    def flags_in(root):
        settings = {
            "dataset": root / "photographs",
            "protocol": "fine-grained",
            "backbone": preset,
            "image_size": 16,
            "embedding_dim": 8,
            "classes_per_batch": 3,
            "images_per_class": 2,
            "epochs": 2,
            "run_dir": root / "run",
        }

        def flags(**changed):
            values = {**settings, **changed}
            return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]

        return flags

    return flags_in


@pytest.fixture
def quick(quick_in, photographs, tmp_path):
    """Flags of such a run."""
    return quick_in(tmp_path)


@pytest.fixture(scope="module")
def shared(quick_in, draw_photographs, tmp_path_factory):
    """Function that makes a run for several tests: its folder, which no test may change."""

    def run(spoil=lambda photographs: None, **changed):
        root = tmp_path_factory.mktemp("shared")
        spoil(draw_photographs(root / "photographs"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            train.main(quick_in(root)(**changed))
        return types.SimpleNamespace(
            path=root / "run", photographs=root / "photographs", printed=printed.getvalue()
        )

    return run
