"""What a model is, beside the model, for people and for tools."""

import importlib.metadata
import json
import platform
import time

from nfl_keras.export.verification import TOLERANCE
from nfl_keras.servable.status import MESSAGES

PATH = "model_card.json"
_PACKAGES = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "tensorflow-serving-api")


def model_card(name, version, signatures, image_size, max_pixels, difference, photographs, about):
    """What is written into `model_card.json`.

    Args:
        name: str.
        version: int.
        signatures: dict from name to the concrete function.
        image_size: int, side of the crops.
        max_pixels: int, of the largest image that is decoded.
        difference: float, see `largest_difference`.
        photographs: int, on how many it was found.
        about: dict of JSON values, what the caller knows of the model, see `export_model`.

    Returns:
        Dict of JSON values.
    """
    return {
        "name": name,
        "version": version,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "signatures": {key: _interface(function) for key, function in signatures.items()},
        "image_size": image_size,
        "max_pixels": max_pixels,
        "formats": ["JPEG", "PNG", "WebP", "GIF (first frame)", "BMP (24 and 32 bits)"],
        "similarity": "cosine, which is the dot product: embeddings have length 1",
        "status": {str(code): message for code, message in MESSAGES.items()},
        "checked": {
            "against": "the Keras model",
            "photographs": photographs,
            "largest_difference": difference,
            "tolerance": TOLERANCE,
        },
        "versions": {"python": platform.python_version(), **_versions()},
        "weights_license": "unknown",
        **about,
    }


def write_card(folder, card):
    """Writes the card into the folder of a version."""
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / PATH).write_text(text + "\n", encoding="utf-8")


def read_card(folder):
    """The card in the folder of a version, a dict."""
    return json.loads((folder / PATH).read_text(encoding="utf-8"))


def _interface(function):
    arguments, keywords = function.structured_input_signature
    inputs = {spec.name: spec for spec in [*arguments, *keywords.values()]}
    return {
        "inputs": {key: _tensor(spec) for key, spec in inputs.items()},
        "outputs": {key: _tensor(spec) for key, spec in function.structured_outputs.items()},
    }


def _tensor(spec):
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}


def _versions():
    return {package: importlib.metadata.version(package) for package in _PACKAGES}
