"""Defines how the place of a gallery is found by its path or URI."""

from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
from nfl_keras.gallery.storage.milvus.address import parse_address
from nfl_keras.gallery.storage.milvus.milvus_store import MilvusStore
from nfl_keras.gallery.storage.store import Store
from nfl_keras.typing import Path


def open_store(uri: Path) -> Store:
    """Opens the place where a gallery is or will be kept.

    Args:
        uri: str or path of a folder; or a URI of Milvus, see `parse_address`.

    Returns:
        A `Store`.

    Raises:
        UserError: if it is not a URI of Milvus, but begins as one.
    """
    if isinstance(uri, str) and uri.startswith("milvus:"):
        return MilvusStore(parse_address(uri))
    return GalleryFolder(uri)
