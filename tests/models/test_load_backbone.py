import json
import socket
import unittest.mock

import keras_hub
import numpy as np
import pytest
from huggingface_hub.utils import EntryNotFoundError
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.models.load_backbone import load_backbone


@pytest.fixture
def preset(tmp_path):
    """A backbone, and the folder that it was saved in as a preset."""
    backbone = keras_hub.models.VGGBackbone(
        stackwise_num_repeats=[1], stackwise_num_filters=[4], image_shape=(None, None, 3)
    )
    backbone.save_to_preset(tmp_path / "preset")
    return backbone, tmp_path / "preset"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("kagglehub.model_download", refuse)


def test_tiny_is_a_small_resnet_with_pixels_in_minus_1_to_1():
    backbone, scale, offset = load_backbone("tiny", 8)
    assert isinstance(backbone, keras_hub.models.ResNetBackbone)
    assert 0.85e6 < backbone.count_params() < 0.95e6
    assert backbone.output_shape == (None, None, None, 160)
    np.testing.assert_allclose(scale * np.array([0, 255]) + offset, [-1, 1], atol=1e-12)


@pytest.mark.usefixtures("no_network")
def test_a_preset_folder_is_loaded_with_its_weights(preset):
    saved, folder = preset
    backbone, scale, offset = load_backbone(str(folder), 8)
    for weight, expected in zip(backbone.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert (scale, offset) == (1 / 127.5, -1.0)


CONVERTERS = {
    "per channel": ([0.01, 0.02, 0.03], [-0.5, -0.4, -0.3]),
    "numbers": (0.5, -7.0),
    "scale only": (0.25, None),
}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("with_preprocessor", [True, False])
@pytest.mark.parametrize(("scale", "offset"), CONVERTERS.values(), ids=CONVERTERS)
def test_a_preset_states_its_own_pixel_range(preset, with_preprocessor, scale, offset):
    _, folder = preset
    converter = keras_hub.layers.VGGImageConverter(scale=scale, offset=offset)
    if with_preprocessor:
        preprocessor = keras_hub.models.VGGImageClassifierPreprocessor(converter)
        preprocessor.save_to_preset(folder)
        assert (folder / "preprocessor.json").exists()
    else:
        converter.save_to_preset(folder)
        assert not (folder / "preprocessor.json").exists()
    _, found_scale, found_offset = load_backbone(str(folder), 8)
    assert found_scale == scale
    assert found_offset == (0.0 if offset is None else offset)


@pytest.mark.usefixtures("no_network")
def test_a_preset_whose_converter_has_no_scale_gets_minus_1_to_1(preset):
    _, folder = preset
    keras_hub.layers.VGGImageConverter(image_size=(8, 8)).save_to_preset(folder)
    assert load_backbone(str(folder), 8)[1:] == (1 / 127.5, -1.0)


@pytest.mark.usefixtures("no_network")
def test_a_preset_with_a_preprocessor_but_no_converter_gets_minus_1_to_1(preset):
    _, folder = preset
    keras_hub.models.VGGImageClassifierPreprocessor().save_to_preset(folder)
    (folder / "image_converter.json").unlink(missing_ok=True)
    assert (folder / "preprocessor.json").exists()
    assert load_backbone(str(folder), 8)[1:] == (1 / 127.5, -1.0)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["resnet_19_imagenet", "no/such/folder", "", "."])
def test_a_wrong_name_is_answered_in_one_line_without_the_network(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="cannot load the backbone") as error:
        load_backbone(name, 8)
    assert "\n" not in str(error.value)
    assert repr(name) in str(error.value)
    assert "resnet_18_imagenet" in str(error.value)


def test_a_failed_download_is_answered_in_one_line(monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("kaggle.com cannot be reached\nand more lines")

    monkeypatch.setattr("kagglehub.model_download", fail)
    with pytest.raises(UserError, match=r"kaggle\.com cannot be reached") as error:
        load_backbone("resnet_18_imagenet", 8)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_network")
def test_a_damaged_preset_is_answered_in_one_line(preset):
    _, folder = preset
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "registered_name": "gone>Gone"}))
    with pytest.raises(UserError, match="cannot load the backbone") as error:
        load_backbone(str(folder), 8)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_network")
def test_a_handle_of_hugging_face_is_loaded(preset, monkeypatch):
    saved, folder = preset

    def from_hub(repo_id, filename):
        assert repo_id == "somebody/vgg"
        if not (folder / filename).exists():
            raise EntryNotFoundError(filename)
        return str(folder / filename)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", from_hub)
    backbone, *pixel_range = load_backbone("hf://somebody/vgg", 8)
    np.testing.assert_array_equal(backbone.get_weights()[0], saved.get_weights()[0])
    assert pixel_range == [1 / 127.5, -1.0]


@pytest.mark.parametrize("factor", [{}, {"rescale_factor": 1 / 51}])
def test_a_model_of_transformers_states_its_pixel_range(preset, factor, monkeypatch):
    backbone, folder = preset
    (folder / "config.json").write_text(json.dumps({"model_type": "dinov2"}))
    settings = {"image_mean": [0.5, 0.4, 0.2], "image_std": [0.5, 0.2, 0.1], **factor}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    # KerasHub needs the package safetensors to load such a model.
    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", lambda folder: backbone)
    loader = unittest.mock.Mock(**{"load_image_converter.return_value": None})
    monkeypatch.setattr("keras_hub.src.utils.preset_utils.get_preset_loader", lambda folder: loader)
    _, scale, offset = load_backbone(str(folder), 8)
    per_step = factor.get("rescale_factor", 1 / 255)
    np.testing.assert_allclose(scale, [per_step / 0.5, per_step / 0.2, per_step / 0.1])
    np.testing.assert_allclose(offset, [-1, -2, -2])


@pytest.mark.usefixtures("no_network")
def test_of_a_model_of_images_and_texts_it_is_the_vision_encoder(tmp_path):
    sizes = {"hidden_dim": 4, "num_layers": 1, "num_heads": 1, "intermediate_dim": 4}
    vision = keras_hub.models.SigLIPVisionEncoder(8, **sizes, image_shape=(16, 16, 3))
    text = keras_hub.models.SigLIPTextEncoder(10, 4, **sizes, max_sequence_length=6)
    keras_hub.models.SigLIPBackbone(vision, text).save_to_preset(tmp_path)
    keras_hub.layers.SigLIPImageConverter(scale=0.5, offset=-7.0).save_to_preset(tmp_path)
    backbone, scale, offset = load_backbone(str(tmp_path), 16)
    assert (scale, offset) == (0.5, -7.0)
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype("float32")
    given, expected = (array(network({"images": images})) for network in (backbone, vision))
    np.testing.assert_allclose(given, expected, atol=1e-6)
