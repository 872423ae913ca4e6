import json

import keras
import pytest
import tensorflow as tf

from nfl_keras.export.model_card import write_card
from nfl_keras.export.signatures import make_service

FACTS = {"name": "roses", "version": 3, "image_size": 16, "max_pixels": 1_000}


@pytest.fixture(scope="module")
def text(embedder, tmp_path_factory):
    _, signatures = make_service(embedder, 16, 1_000)
    about = {"weights_license": "CC BY 4.0", "metrics": {"map": 0.5}, "protocol": "Blüten 花"}
    folder = tmp_path_factory.mktemp("version")
    write_card(folder, FACTS | about, signatures, 2e-7, 6)
    return (folder / "model_card.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def card(text):
    return json.loads(text)


def test_the_card_says_how_the_model_is_called(card):
    of_images = {
        "inputs": {"images": {"dtype": "string", "shape": [None]}},
        "outputs": {
            "embedding": {"dtype": "float32", "shape": [None, 5]},
            "status": {"dtype": "int32", "shape": [None]},
        },
    }
    of_pixels = {
        "inputs": {"pixels": {"dtype": "float32", "shape": [None, 16, 16, 3]}},
        "outputs": {"embedding": {"dtype": "float32", "shape": [None, 5]}},
    }
    assert card["signatures"] == {
        "serving_default": of_images,
        "embed_center": of_images,
        "embed_tensor": of_pixels,
    }
    assert (card["name"], card["version"]) == ("roses", 3)
    assert (card["image_size"], card["max_pixels"]) == (16, 1_000)
    assert card["status"].keys() == {"0", "1", "2", "3", "4", "5", "6", "7"}


def test_the_card_says_how_it_was_checked_and_by_what_it_was_made(card):
    assert card["checked"]["largest_difference"] == 2e-7
    assert card["checked"]["photographs"] == 6
    assert card["versions"]["tensorflow"] == tf.__version__
    assert card["versions"]["keras"] == keras.__version__


def test_what_the_caller_knows_is_added(card, tmp_path):
    assert card["weights_license"] == "CC BY 4.0"
    assert card["metrics"] == {"map": 0.5}
    write_card(tmp_path, FACTS, {}, 2e-7, 6)
    plain = json.loads((tmp_path / "model_card.json").read_text(encoding="utf-8"))
    assert plain["weights_license"] == "unknown"
    assert "metrics" not in plain


def test_people_can_read_the_card(text):
    assert '\n  "protocol": "Blüten 花"' in text
