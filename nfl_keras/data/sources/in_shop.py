"""Defines In-Shop Clothes Retrieval of DeepFashion: 7,982 items, from the official files."""

import pathlib

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.read_columns import read_columns
from nfl_keras.data.sources.whereabouts import Whereabouts
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

WHEREABOUTS = Whereabouts(
    name="in_shop",
    places=[
        "the official page, https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html "
        "(Img/img.zip, unpacked, and Eval/list_eval_partition.txt)",
    ],
    tree="""Eval/
  list_eval_partition.txt
Img/
  img/
    MEN/
      Denim/
        id_00000080/
          01_1_front.jpg
          ...
    ...
or list_eval_partition.txt and img/ side by side""",
)
_LIST = "list_eval_partition.txt"
_SPLITS = ("train", "query", "gallery")


def in_shop(data_dir: Path | None = None, missing_images: MissingImages = "error") -> ImageSet:
    """Returns all 52,712 photographs of In-Shop Clothes Retrieval, with the dataset's own split.

    25,882 photographs of 3,997 items are to train on. Of the other 3,985 items, 14,218 photographs
    are queries, which search a gallery of 12,612 other photographs. The category of an item is its
    folder, such as `WOMEN/Dresses`.

    Args:
        data_dir: str or path of a folder that holds `list_eval_partition.txt`, or `Eval/` with it,
            and `img/`, or `Img/` with it.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
            Defaults to `"error"`.

    Returns:
        An `ImageSet` with its items in the order of their ids.

    Raises:
        UserError: if the dataset is not found, or its list cannot be read.

    Reference: Liu et al., DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
    Annotations, 2016.
    """
    expected = None
    if data_dir is not None:
        root = pathlib.Path(data_dir)
        files = (root / below / _LIST for below in (".", "Eval"))
        partition = next((file for file in files if file.is_file()), None)
        photographs = root / "Img" if (root / "Img" / "img").is_dir() else root
        if partition is not None:
            whole = _listed(partition, photographs)
            found = without_missing(whole, photographs, missing_images, WHEREABOUTS.name)
            if len(found):
                return found
            expected = photographs / str(whole.ids[0]) if len(whole) else None
    raise WHEREABOUTS.not_found(data_dir, expected)


def _listed(partition: pathlib.Path, photographs: pathlib.Path) -> ImageSet:
    rows = read_columns(partition, 3, header=2)
    category_of = {}
    for file, item, split in rows:
        if split not in _SPLITS:
            raise UserError(
                f"{str(partition)!r} puts {file!r} into {split!r}, which is none of "
                f"{', '.join(_SPLITS)}; get the file again."
            )
        category_of[item] = "/".join(file.split("/")[1:3])
    names, items, splits = zip(*rows, strict=True) if rows else ((), (), ())
    class_names, labels = np.unique(items, return_inverse=True)
    categories = [category_of[name] for name in class_names]
    return file_set(photographs, names, labels, class_names.tolist(), splits, categories)
