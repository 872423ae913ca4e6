"""Defines how a trained, exported or pretrained model is loaded to embed photographs."""

import os
import pathlib

import keras

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.models import Embedder, Learner
from nfl_keras.models.recipes import import_recipe
from nfl_keras.servable.signature_names import EMBED_TENSOR
from nfl_keras.servable.version_folder import versions_in
from nfl_keras.training.load_learner import load_learner
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.typing import Path


def load(path: Path, recipe: str | None = None) -> keras.Model:
    """Loads the model that embeds photographs.

    Args:
        path: str or path of a finished run, the model that its figures describe; of a `.keras`
            file with an `Embedder` or a `Learner`; of an exported model, its newest version or
            the one that is named; or the name or the folder of a KerasHub preset, the frozen
            backbone without a projection at 224 pixels.
        recipe: str, `"package.module.Class"` of a run's recipe from outside of nfl_keras, which
            this call imports. Defaults to `None`.

    Returns:
        An `nfl.models.Embedder`. Of an exported model it is a `keras.Model` with the same input
        and output: images `[B, S, S, 3]` in 0..255 to unit vectors `[B, D]`, S its `image_size`.

    Raises:
        UserError: if there is no such model, or it cannot be loaded.

    Example:

    >>> embedder.save("embedder.keras")
    >>> nfl.load("embedder.keras").image_size
    32
    """
    if recipe is not None:
        import_recipe(recipe)
    folder = local_path(path)
    if folder.suffix == ".keras":
        return _of_file(folder)
    if RunFolder(folder).exists:
        return _of_run(RunFolder(folder))
    versions = versions_in(folder)
    if versions:
        folder = versions[max(versions)]
    if (folder / "saved_model.pb").is_file():
        return _of_export(folder)
    return Embedder(os.fspath(path), embedding_dim=None)


def _of_run(folder: RunFolder) -> Embedder:
    config = folder.config()
    if len(config.data.split_seeds) > 1:
        split = folder.split(config.data.split_seeds[0]).path
        raise UserError(
            f"{str(folder.path)!r} is a run over several splits; name one of them, such as "
            f"{str(split)!r}."
        )
    saved = folder.checkpoint(config.evaluation.final_checkpoint)
    return load_learner(saved, config.recipe.learner).embedder


def _of_file(path: pathlib.Path) -> Embedder:
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}.")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"cannot load {str(path)!r} ({reason}).") from error
    model = model.embedder if isinstance(model, Learner) else model
    if not isinstance(model, Embedder):
        raise UserError(
            f"{str(path)!r} holds a {type(model).__name__}; give a file with an "
            f"nfl.models.Embedder, or one that a run saved."
        )
    return model


def _of_export(folder: pathlib.Path) -> keras.Model:
    import tensorflow as tf  # The other kinds do without it under another backend of Keras.

    try:
        signature = tf.saved_model.load(str(folder)).signatures[EMBED_TENSOR]
    except (KeyError, ValueError, OSError, tf.errors.OpError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"{str(folder)!r} is no model that nfl_keras has exported ({reason}); export it anew."
        ) from error
    size = signature.structured_input_signature[1]["pixels"].shape[1]
    images = keras.Input((size, size, 3), dtype="float32", name="images")
    layer = keras.layers.TFSMLayer(str(folder), call_endpoint=EMBED_TENSOR)
    model = keras.Model(images, layer(images)["embedding"])
    model.image_size = size
    return model
