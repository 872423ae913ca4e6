"""Oxford Flowers-17: 17 species of 80 photographs, as the official archive unpacks."""

import pathlib

import keras

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError

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


def flowers17(data_dir=None):
    """All 1,360 photographs of Flowers-17.

    Args:
        data_dir: str, the folder that holds `jpg/image_0001.jpg` to `jpg/image_1360.jpg`, or
            `None` to download and unpack the official archive (60 MB) into Keras' cache,
            once.

    Returns:
        An `ImageSet`, in the archive's order.

    Raises:
        UserError: if photographs are missing, or the download fails.

    Reference: Nilsback and Zisserman, A Visual Vocabulary for Flower Classification, 2006.
    """
    root = pathlib.Path(_download() if data_dir is None else data_dir)
    names = [f"jpg/image_{i:04d}.jpg" for i in range(1, len(CLASS_NAMES) * PER_CLASS + 1)]
    missing = [name for name in names if not (root / name).is_file()]
    if missing:
        raise UserError(
            f"{len(missing):,} of the {len(names):,} photographs of flowers17 are not below "
            f"{str(root)!r} (the first: {missing[0]}). {_where_to_get_it()}"
        )
    return ImageSet(
        ids=names,
        labels=[i // PER_CLASS for i in range(len(names))],
        class_names=CLASS_NAMES,
        read=lambda position: (root / names[position]).read_bytes(),
    )


def _download():
    try:
        return keras.utils.get_file("17flowers.tgz", ARCHIVE_URL, extract=True)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"flowers17 could not be downloaded ({reason}). {_where_to_get_it()}"
        ) from error


def _where_to_get_it():
    return (
        f"Unpack {ARCHIVE_URL} and name its folder as data_dir. Expected:\n"
        "  data_dir/\n"
        "    jpg/\n"
        "      image_0001.jpg\n"
        "      ...\n"
        "      image_1360.jpg"
    )
