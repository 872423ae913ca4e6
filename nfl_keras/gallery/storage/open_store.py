"""Defines how the place of a gallery is found by its path or URI."""

from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
from nfl_keras.gallery.storage.store import Store
from nfl_keras.typing import Path


def open_store(uri: Path) -> Store:
    """Opens the place where a gallery is or will be kept.

    Args:
        uri: str or path of a folder.

    Returns:
        A `Store`.
    """
    return GalleryFolder(uri)
