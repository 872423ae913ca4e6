"""Defines the model card: what an exported model is, for people and for tools."""

import importlib.metadata
import json
import pathlib
import platform
import time
from typing import Any

from nfl_keras.export.verification import TOLERANCE
from nfl_keras.servable.status import MESSAGES

PATH = "model_card.json"
# benchmarks/serving_versions.py ran exported models in TensorFlow 2.12.1, the oldest tried.
_OLDEST_TENSORFLOW = "2.12.1"
_PACKAGES = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "tensorflow-serving-api")


def write_card(
    folder: pathlib.Path, facts: dict, signatures: dict, difference: float, photographs: int
) -> None:
    """Writes the card of an exported model into the folder of its version.

    The `facts` are JSON values, `signatures` are concrete functions by name, and `difference` is
    the result of `largest_difference` on so many `photographs`.
    """
    card = {
        "weights_license": "unknown",
        **facts,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "signatures": {key: _interface(function) for key, function in signatures.items()},
        "formats": ["JPEG", "PNG", "WebP (not animated)", "BMP (24 and 32 bits)"],
        "oldest_tensorflow": _OLDEST_TENSORFLOW,
        "similarity": "cosine, which is the dot product: embeddings have length 1",
        "status": {str(code): message for code, message in MESSAGES.items()},
        "checked": {
            "against": "the Keras model in float32",
            "photographs": photographs,
            "largest_difference": difference,
            "tolerance": TOLERANCE,
        },
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in _PACKAGES},
        },
    }
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / PATH).write_text(text + "\n", encoding="utf-8")


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
