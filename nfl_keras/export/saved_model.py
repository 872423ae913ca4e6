"""An embedder as a SavedModel, which any TensorFlow Serving can serve."""

import math
import pathlib
import re
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from nfl_keras.data.decoding.photograph_error import MAX_PIXELS
from nfl_keras.errors import UserError
from nfl_keras.export.in_float32 import in_float32
from nfl_keras.export.model_card import write_card
from nfl_keras.export.signatures import make_service
from nfl_keras.export.verification import center_crops, largest_difference, sample_photographs
from nfl_keras.files import local_path
from nfl_keras.models import Learner, merged_lora
from nfl_keras.servable.signature_names import EMBED_CENTER, EMBED_IMAGES, EMBED_TENSOR
from nfl_keras.servable.version_folder import new_version
from nfl_keras.servable.warmup import replay_warmup, write_warmup
from nfl_keras.typing import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def export_model(
    model: keras.Model,
    directory: Path,
    version: int | None = None,
    name: str = "embedder",
    image_size: int | None = None,
    max_pixels: int = MAX_PIXELS,
    photographs: Iterable[bytes] | None = None,
    about: dict[str, Any] | None = None,
) -> pathlib.Path:
    """Exports a model for TensorFlow Serving or `nfl.serving.Server`.

    The exported graph decodes images, resizes and crops them, and embeds them as
    `nfl.retrieval.embed` does. It has three signatures, see
    `nfl_keras.export.signatures.make_service`. A bad image gets a row of zeros and a status, and
    leaves the other images of its request alone. GIF, TIFF, animated WebP and rare BMP are not
    supported.

    A model of lower precision is exported in float32, and grouped convolutions without XLA. The
    exported model is loaded and compared with the Keras model in float32 on photographs. If they
    differ by more than 1e-4, nothing is kept. `model_card.json`, which describes the model, and the
    requests that a server warms up with are written beside it.

    Args:
        model: `nfl.models.Embedder`; a recipe such as `nfl.models.NoiseInvariantModel`, of which
            the embedder is exported; or any `keras.Model` from `[B, S, S, 3]` in 0..255 to
            `[B, D]`.
        directory: path. The model is written to `<directory>/<name>/<version>/`.
        version: int >= 1. Defaults to the one after the highest version.
        name: str of letters, digits, `_`, `.` and `-`, by which requests name the model. Defaults
            to `"embedder"`.
        image_size: int S. Defaults to `embedder.image_size`.
        max_pixels: int. An image that declares more pixels is refused before it is decoded.
            Defaults to `100_000_000`.
        photographs: encoded images to compare on. Defaults to six drawn ones.
        about: dict of JSON values to add to `model_card.json`, such as where the weights come
            from, their license and their metrics. Defaults to `None`, nothing.

    Returns:
        The version's folder.

    Raises:
        UserError: if the model, the name, the version or the folder cannot be used, or the
            exported model differs.

    Example:

    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=8, image_size=32)
    >>> nfl.export_model(embedder, "models")
    PosixPath('models/embedder/1')
    """
    embedder = model.embedder if isinstance(model, Learner) else model
    size: Any = getattr(embedder, "image_size", None) if image_size is None else image_size
    _check_arguments(embedder, size, name, version, max_pixels)
    photographs = list(sample_photographs(size) if photographs is None else photographs)
    base = local_path(directory) / name
    with new_version(base, version) as (folder, version):
        with in_float32(embedder) as precisions, merged_lora(embedder):
            service, signatures = make_service(embedder, size, max_pixels)
            try:
                tf.saved_model.save(service, str(folder), signatures)
            except tf.errors.OpError as error:
                reason = " ".join(error.message.split())
                raise UserError(f"cannot write the model into {str(base)!r} ({reason}).") from error
            loaded = tf.saved_model.load(str(folder))
            difference = largest_difference(loaded, embedder, size, photographs)
        _warm_up(folder, name, loaded, photographs[:4], size)
        facts = {"name": name, "version": version, "image_size": size, "max_pixels": max_pixels}
        if precisions:
            rounded = largest_difference(loaded, embedder, size, photographs, math.inf)
            facts["trained_in"] = {"precision": precisions, "largest_difference": rounded}
        write_card(folder, facts | (about or {}), signatures, difference, len(photographs))
    return base / str(version)


def _warm_up(folder, name, loaded, images, image_size):
    of_one = [(signature, {"images": images[:1]}) for signature in (EMBED_IMAGES, EMBED_CENTER)]
    pixels = {"pixels": center_crops(images[:1], image_size)}
    inputs = [*of_one, (EMBED_IMAGES, {"images": images}), (EMBED_TENSOR, pixels)]
    write_warmup(folder, name, inputs)

    def answer(request):
        tensors = {key: tf.constant(tf.make_ndarray(t)) for key, t in request.inputs.items()}
        loaded.signatures[request.model_spec.signature_name](**tensors)

    replay_warmup(folder, answer)


def _check_arguments(embedder, image_size, name, version, max_pixels):
    if keras.config.backend() != "tensorflow":
        raise UserError(
            f"a model can be exported under Keras' TensorFlow backend only, and this is "
            f"{keras.config.backend()!r}; set KERAS_BACKEND=tensorflow and load the model again."
        )
    if not isinstance(embedder, keras.Model):
        raise UserError(f"export_model takes a keras.Model, not {type(embedder).__name__}.")
    if image_size is None:
        raise UserError("the model does not say its image_size; give it to export_model.")
    given, made = (getattr(embedder, name, None) for name in ("input_shape", "output_shape"))
    # A model of several inputs has a list or dict of shapes, and one that is not built has none.
    squares = tf.TensorShape((None, image_size, image_size, 3))
    takes_squares = isinstance(given, tuple) and squares.is_compatible_with(given)
    if not (takes_squares and isinstance(made, tuple) and len(made) == 2 and made[1]):
        raise UserError(
            f"a model from {given} to {made} cannot be exported with image_size {image_size}: it "
            f"must map images [B, S, S, 3] to vectors [B, D]."
        )
    if not _NAME.fullmatch(name):
        raise UserError(f"a model cannot be called {name!r}; use letters, digits, '_', '.', '-'.")
    for what, number in (("version", version), ("max_pixels", max_pixels)):
        if number is not None and (not isinstance(number, int) or number < 1):
            raise UserError(f"{what} must be a whole number above 0, not {number!r}.")
