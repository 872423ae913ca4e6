"""Defines how scikit-image is imported where it is used."""

import importlib
from typing import Any

from nfl_keras.errors import UserError


def import_scikit_image(module: str) -> Any:
    """Imports a module of scikit-image.

    Args:
        module: str, its name: `"feature"`.

    Returns:
        The module.

    Raises:
        UserError: if scikit-image is not installed.
    """
    try:
        return importlib.import_module(f"skimage.{module}")
    except ImportError as error:
        raise UserError(
            'LBP and HOG need scikit-image; run `pip install "nfl_keras[descriptors]"`.'
        ) from error
