"""Defines Oxford Flowers-17: 17 species with 80 photographs each, from the official archive."""

import pathlib

import keras
import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.whereabouts import Whereabouts
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.typing import Path

ARCHIVE_URL = "https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"
PER_CLASS = 80
CLASS_NAMES = (
    "daffodil",
    "snowdrop",
    "lily of the valley",
    "bluebell",
    "crocus",
    "iris",
    "tigerlily",
    "tulip",
    "fritillary",
    "sunflower",
    "daisy",
    "coltsfoot",
    "dandelion",
    "cowslip",
    "buttercup",
    "windflower",
    "pansy",
)
WHEREABOUTS = Whereabouts(
    name="flowers17",
    places=[f"{ARCHIVE_URL} (the official archive; unpack it)"],
    tree="jpg/\n  image_0001.jpg\n  ...\n  image_1360.jpg",
)


def flowers17(data_dir: Path | None = None, missing_images: MissingImages = "error") -> ImageSet:
    """Returns all 1,360 photographs of Flowers-17.

    Args:
        data_dir: str or path of the folder that holds `jpg/image_0001.jpg` to
            `jpg/image_1360.jpg`. Defaults to `None`: the official archive (60 MB) is downloaded
            once and unpacked into Keras' cache.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
            Defaults to `"error"`.

    Returns:
        An `ImageSet`, in the archive's order.

    Raises:
        UserError: if photographs are missing, or the download fails.

    Reference: Nilsback and Zisserman, A Visual Vocabulary for Flower Classification, 2006.
    """
    root = pathlib.Path(_download() if data_dir is None else data_dir)
    count = len(CLASS_NAMES) * PER_CLASS
    names = [f"jpg/image_{i:04d}.jpg" for i in range(1, count + 1)]
    whole = file_set(root, names, np.arange(count) // PER_CLASS, CLASS_NAMES)
    found = without_missing(whole, root, missing_images, WHEREABOUTS.name)
    if not len(found):
        raise WHEREABOUTS.not_found(root, root / names[0])
    return found


def _download() -> str:
    try:
        return keras.utils.get_file("17flowers.tgz", ARCHIVE_URL, extract=True)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise WHEREABOUTS.not_found(None, reason=f"could not be downloaded ({reason})") from error
