"""An embedder as a SavedModel that any TensorFlow Serving can answer images with."""

import pathlib
import re

import keras
import tensorflow as tf

from nfl_keras.data.decoding.checked_bytes import MAX_PIXELS
from nfl_keras.errors import UserError
from nfl_keras.export.model_card import model_card, write_card
from nfl_keras.export.samples import sample_photographs
from nfl_keras.export.signatures import make_service
from nfl_keras.export.verification import center_crops, check_difference, largest_difference
from nfl_keras.models import Learner
from nfl_keras.servable.signature_names import EMBED_CENTER, EMBED_IMAGES, EMBED_TENSOR
from nfl_keras.servable.version_folder import new_version
from nfl_keras.servable.warmup import replay_warmup, write_warmup

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def export_model(
    model,
    directory,
    version=None,
    name="embedder",
    image_size=None,
    max_pixels=MAX_PIXELS,
    photographs=None,
    about=None,
):
    """Writes a model for TF Serving or `nfl.serving.Server`, from encoded images to embeddings.

    The graph holds all of it: decoding, resizing, crops, embedding, mean and length 1, as
    `nfl.retrieval.embed` does it; and nothing of training. It answers by three signatures, see
    `nfl_keras.export.signatures`. One bad image of a request is a row of zeros and a status, and
    no error of the others'.

    What was written is loaded again and compared with the Keras model on photographs; where it
    differs by more than 1e-4, nothing is kept. Beside it lie `model_card.json`, which says what the
    model is, and the requests that a server warms up with.

    Args:
        model: `nfl.models.Embedder`; a recipe such as `nfl.models.NoiseInvariantModel`, of which
            the embedder is exported; or any `keras.Model` from `[B, S, S, 3]` in 0..255 to
            `[B, D]`.
        directory: path. The model is written to `<directory>/<name>/<version>/`.
        version: int >= 1. Defaults to the one after the highest there is.
        name: str of letters, digits, `_`, `.` and `-`, by which requests name the model. Defaults
            to `"embedder"`.
        image_size: int S. Defaults to `embedder.image_size`.
        max_pixels: int. An image that declares more is refused before it is decoded. Defaults to
            `100_000_000`, as for photographs to train on.
        photographs: list of bytes, encoded images to compare on. Defaults to six drawn ones.
        about: dict of JSON values to add to `model_card.json`: where the weights come from, what
            they may be used for, how well they find. Defaults to none.

    Returns:
        The version's folder, a `pathlib.Path`.

    Raises:
        UserError: if the model, the name, the version or the folder cannot be used, or the exported
            model differs. Nothing is left behind then.

    Example:

    >>> nfl.export_model(nfl.models.Embedder("tiny", image_size=64), "models")
    PosixPath('models/embedder/1')
    """
    embedder = model.embedder if isinstance(model, Learner) else model
    size = getattr(embedder, "image_size", None) if image_size is None else image_size
    _check_arguments(embedder, size, name, version, max_pixels)
    photographs = list(sample_photographs(size) if photographs is None else photographs)
    base = pathlib.Path(directory) / name
    with new_version(base, version) as (folder, version):
        service, signatures = make_service(embedder, size, max_pixels)
        try:
            tf.saved_model.save(service, str(folder), signatures)
        except tf.errors.OpError as error:
            reason = " ".join(error.message.split())
            raise UserError(f"cannot write the model into {str(base)!r} ({reason}).") from error
        loaded = tf.saved_model.load(str(folder))
        difference = largest_difference(loaded, embedder, size, photographs)
        check_difference(difference, len(photographs))
        _warm_up(folder, name, loaded, photographs, size)
        card = model_card(
            name, version, signatures, size, max_pixels, difference, len(photographs), about or {}
        )
        write_card(folder, card)
    return base / str(version)


def is_model_name(name):
    """Whether a model can be called so: it is part of paths, of URLs and of config files."""
    return bool(_NAME.fullmatch(name))


def _warm_up(folder, name, loaded, photographs, image_size):
    images = photographs[:4]
    inputs = [
        *((signature, {"images": images[:1]}) for signature in (EMBED_IMAGES, EMBED_CENTER)),
        (EMBED_IMAGES, {"images": images}),
        (EMBED_TENSOR, {"pixels": center_crops(images[:1], image_size)}),
    ]
    write_warmup(folder, name, inputs)

    def answer(request):
        signature = loaded.signatures[request.model_spec.signature_name]
        tensors = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        signature(**{key: tf.constant(array) for key, array in tensors.items()})

    replay_warmup(folder, answer)


def _check_arguments(embedder, image_size, name, version, max_pixels):
    if keras.config.backend() != "tensorflow":
        raise UserError(
            f"a model can be exported under Keras' TensorFlow backend alone, and this is "
            f"{keras.config.backend()!r}; set KERAS_BACKEND=tensorflow and load the model again."
        )
    if not isinstance(embedder, keras.Model):
        raise UserError(f"what is exported must be a keras.Model, not {type(embedder).__name__}.")
    if image_size is None:
        raise UserError("the model does not say its image_size; give export_model one.")
    shapes = [getattr(embedder, name, None) for name in ("input_shape", "output_shape")]
    if not _fits(*shapes, image_size):
        raise UserError(
            f"a model from {shapes[0]} to {shapes[1]} cannot be exported with image_size "
            f"{image_size}: it must lead from images [B, S, S, 3] to vectors [B, D]."
        )
    if not is_model_name(name):
        raise UserError(f"a model cannot be called {name!r}; use letters, digits, '_', '.', '-'.")
    for what, number in (("version", version), ("max_pixels", max_pixels)):
        if number is not None and (not isinstance(number, int) or number < 1):
            raise UserError(f"{what} must be a whole number above 0, not {number!r}.")


def _fits(input_shape, output_shape, image_size):
    sides = isinstance(input_shape, tuple) and len(input_shape) == 4 and input_shape[1:3]
    return (
        bool(sides)
        and all(side in (None, image_size) for side in sides)
        and input_shape[3] == 3
        and isinstance(output_shape, tuple)
        and len(output_shape) == 2
        and output_shape[1] is not None
    )
