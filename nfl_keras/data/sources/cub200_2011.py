"""Defines CUB-200-2011: 200 species of birds, from the official archive or TFDS."""

import pathlib

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.read_columns import read_columns
from nfl_keras.data.sources.whereabouts import Whereabouts
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

WHEREABOUTS = Whereabouts(
    tfds_names=("caltech_birds2011",),
    name="cub200_2011",
    places=[
        "the official page, https://www.vision.caltech.edu/datasets/cub_200_2011/ "
        "(CUB_200_2011.tgz; unpack it)",
        "Kaggle: wenewone/cub2002011",
        "TFDS: tfds build caltech_birds2011 --file_format=array_record --data_dir=FOLDER",
    ],
    tree="""CUB_200_2011/
  images.txt
  image_class_labels.txt
  train_test_split.txt
  classes.txt
  images/
    001.Black_footed_Albatross/
      Black_Footed_Albatross_0001_796111.jpg
      ...
    ...""",
)


def cub200_2011(data_dir: Path | None = None, missing_images: MissingImages = "error") -> ImageSet:
    """Returns all 11,788 photographs of CUB-200-2011, with the dataset's own split.

    Args:
        data_dir: str or path of a folder that holds `images.txt` and the other lists, or
            `CUB_200_2011/` with them, or `caltech_birds2011` as prepared by TFDS. Defaults to
            `None`: TFDS' default folder.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
            Defaults to `"error"`.

    Returns:
        An `ImageSet` with its classes in the official order.

    Raises:
        UserError: if the dataset is not found, or its lists cannot be read.

    Reference: Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, 2011.
    """
    roots = [] if data_dir is None else [pathlib.Path(data_dir)]
    expected = None
    for root in [path / below for path in roots for below in (".", "CUB_200_2011")]:
        if (root / "images.txt").is_file():
            whole = _annotated(root)
            found = without_missing(whole, root, missing_images, WHEREABOUTS.name)
            if len(found):
                return found
            expected = root / str(whole.ids[0]) if len(whole) else None
    return WHEREABOUTS.from_tfds(data_dir, expected)


def _annotated(root: pathlib.Path) -> ImageSet:
    names, species_of, trained = (
        _read_pairs(root / f"{file}.txt")
        for file in ("images", "image_class_labels", "train_test_split")
    )
    species = _read_pairs(root / "classes.txt")
    label_of = {number: label for label, number in enumerate(species)}
    try:
        labels = [label_of[species_of[image]] for image in names]
        own_split = ["train" if trained[image] == "1" else "test" for image in names]
    except KeyError as error:
        raise UserError(
            f"the lists in {str(root)!r} do not agree: {error} is in one and not in the other; "
            f"unpack them again."
        ) from error
    files = [f"images/{name}" for name in names.values()]
    return file_set(root, files, labels, list(species.values()), own_split)


def _read_pairs(path: pathlib.Path) -> dict[str, str]:
    return {number: value for number, value in read_columns(path, 2)}
