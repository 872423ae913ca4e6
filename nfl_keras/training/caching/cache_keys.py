"""Defines what the files of a `SplitCache` depend on, by which runs share them."""

import hashlib
import json
from typing import Any

import numpy as np

from nfl_keras.files import local_path
from nfl_keras.models import Learner
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.training.config import TrainConfig


def key_of_lower(config: TrainConfig, cut: NetworkCut) -> str:
    """Returns what the outputs of frozen layers depend on, beside the views of photographs.

    Args:
        config: `TrainConfig`.
        cut: `NetworkCut`.

    Returns:
        str, a hash.
    """
    embedder, data = cut.embedder, config.data
    dataset = local_path(data.dataset)
    # The lower part ends with pooled features if the whole backbone is frozen.
    is_pooled = len(cut.lower.output_shape) == 2
    settings: list[Any] = [
        dataset.resolve() if dataset.exists() else data.dataset,
        None if data.data_dir is None else local_path(data.data_dir).resolve(),
        *(embedder.image_size, embedder.pixel_scale, embedder.pixel_offset, config.run.precision),
        *(cut.last, cut.lower.output_shape, embedder.pooling if is_pooled else None),
    ]
    digest = hashlib.sha256(json.dumps(settings, default=str).encode())
    for weight in cut.lower.weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def settings_of_views(config: TrainConfig) -> list[Any]:
    """Returns what the training views of a photograph depend on.

    Args:
        config: `TrainConfig`.

    Returns:
        List of values that JSON can hold.
    """
    data, recipe, learner = config.data, config.recipe, config.recipe.learner
    of_recipe: list[Any] = [recipe.name, recipe.settings]
    if (learner.views, learner.views_and_draws) == (Learner.views, Learner.views_and_draws):
        of_recipe = []
    elif "view_settings" in vars(learner):  # A subclass may make other views by other settings.
        settings = learner.view_settings(**recipe.settings)
        of_recipe = [recipe.name, settings] if settings else []
    colors = [data.color, data.white_balance_parameters]
    return [config.run.seed, data.max_rotation, *colors, *of_recipe]
