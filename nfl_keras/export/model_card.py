"""The model card: what an exported model is, for people and for tools."""

import importlib.metadata
import json
import pathlib
import platform
import time
from typing import Any

from nfl_keras.export.verification import TOLERANCE
from nfl_keras.servable.status import MESSAGES

PATH = "model_card.json"
_PACKAGES = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "tensorflow-serving-api")


def model_card(
    name: str,
    version: int,
    signatures: dict[str, Any],
    image_size: int,
    max_pixels: int,
    difference: float,
    photographs: int,
    about: dict[str, Any],
) -> dict[str, Any]:
    """Describes an exported model in JSON values.

    The `signatures` are concrete functions by name, `difference` is the result of
    `largest_difference` on so many `photographs`, and `about` is what the caller adds, see
    `export_model`.
    """
    return {
        "name": name,
        "version": version,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "signatures": {key: _interface(function) for key, function in signatures.items()},
        "image_size": image_size,
        "max_pixels": max_pixels,
        "formats": ["JPEG", "PNG", "WebP (not animated)", "BMP (24 and 32 bits)"],
        "similarity": "cosine, which is the dot product: embeddings have length 1",
        "status": {str(code): message for code, message in MESSAGES.items()},
        "checked": {
            "against": "the Keras model",
            "photographs": photographs,
            "largest_difference": difference,
            "tolerance": TOLERANCE,
        },
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in _PACKAGES},
        },
        "weights_license": "unknown",
        **about,
    }


def write_card(folder: pathlib.Path, card: dict[str, Any]) -> None:
    """Writes a card into the folder of a version."""
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / PATH).write_text(text + "\n", encoding="utf-8")


def read_card(folder: pathlib.Path) -> dict[str, Any]:
    """Reads the card in the folder of a version."""
    return json.loads((folder / PATH).read_text(encoding="utf-8"))


def _interface(function: Any) -> dict[str, Any]:
    arguments, keywords = function.structured_input_signature
    inputs = {spec.name: spec for spec in [*arguments, *keywords.values()]}
    return {
        part: {
            key: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
            for key, spec in specs.items()
        }
        for part, specs in (("inputs", inputs), ("outputs", function.structured_outputs))
    }
