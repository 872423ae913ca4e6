"""Defines Stanford Cars-196: 196 models of cars, in each layout that it is distributed in."""

import pathlib
import re
from collections.abc import Sequence

import numpy as np
import scipy.io

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.folder import folder
from nfl_keras.data.sources.whereabouts import Whereabouts
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

NUM_PHOTOGRAPHS = 16_185
WHEREABOUTS = Whereabouts(
    tfds_names=("cars196", "stanford_cars196"),
    name="cars196",
    places=[
        "the official page, https://ai.stanford.edu/~jkrause/cars/car_dataset.html (its archives "
        "have been gone since 2023; the Internet Archive, web.archive.org, keeps copies)",
        "Kaggle: jessicali9530/stanford-cars-dataset for the photographs and "
        "abdelrahmant11/standford-cars-dataset-meta for the devkit's .mat files",
        "Kaggle: jutrera/stanford-car-dataset-by-classes-folder",
        "TFDS, from the files below: tfds build stanford_cars196 --imports="
        "nfl_keras.data.sources.cars196_builder --manual_dir=FILES --data_dir=FOLDER "
        "--file_format=array_record",
    ],
    tree="""cars_train/
  00001.jpg
  ...
  08144.jpg
cars_test/
  00001.jpg
  ...
  08041.jpg
devkit/
  cars_meta.mat
  cars_train_annos.mat
  cars_test_annos_withlabels.mat
or car_ims/000001.jpg ... and cars_annos.mat
or car_data/train/ and car_data/test/ with one folder per class""",
)
_DEVKITS = (".", "devkit", "car_devkit/devkit")
_BY_CLASS = ("car_data/car_data", "car_data", ".")


def cars196(data_dir: Path | None = None, missing_images: MissingImages = "error") -> ImageSet:
    """Returns all 16,185 photographs of Cars-196, with the dataset's own split.

    Args:
        data_dir: str or path of a folder in one of these layouts: `cars_train/` and `cars_test/`
            (or `cars_train/cars_train/`, `cars_test/cars_test/`) with the devkit's `.mat` files
            beside them, in `devkit/` or in `car_devkit/devkit/`; `car_ims/` with
            `cars_annos.mat`; `train/` and `test/` with class folders, also below `car_data/` or
            `car_data/car_data/`; `cars196` or `stanford_cars196` as prepared by TFDS. Defaults to
            `None`: TFDS' default folder.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file, and
            the test photographs if their annotations are missing. Defaults to `"error"`.

    Returns:
        An `ImageSet` with its classes in the official order. Their names come from
        `cars_meta.mat`. Without it, classes are called by their official numbers, and class
        folders are sorted alphabetically, which keeps the halves of the zero-shot protocol.

    Raises:
        UserError: if the dataset is not found, or its annotations cannot be read.

    Reference: Krause et al., 3D Object Representations for Fine-Grained Categorization, 2013.
    """
    if data_dir is None:
        return WHEREABOUTS.from_tfds(data_dir)
    expected = None
    for layout in (_devkit, _combined, _class_folders):
        whole = layout(pathlib.Path(data_dir), missing_images)
        if whole is not None:
            found = without_missing(
                whole, data_dir, missing_images, WHEREABOUTS.name, NUM_PHOTOGRAPHS
            )
            if len(found):
                return found
            if len(whole):
                expected = pathlib.Path(data_dir, str(whole.ids[0]))
    return WHEREABOUTS.from_tfds(data_dir, expected)


def _devkit(root: pathlib.Path, missing_images: MissingImages) -> ImageSet | None:
    annotations = {
        "train": ["cars_train_annos.mat"],
        "test": ["cars_test_annos_withlabels.mat", "cars_test_annos_withlabels (1).mat"],
    }
    if not any((root / f"cars_{split}").is_dir() for split in annotations):
        return None
    names: list[str] = []
    numbers: list[int] = []
    own_split: list[str] = []
    for split, file_names in annotations.items():
        file = _devkit_file(root, *file_names)
        if file is None:
            if missing_images == "skip":
                continue
            raise UserError(
                f"{file_names[0]} is not in {str(root)!r}, its devkit/ or its car_devkit/devkit/, "
                f"so that the photographs of cars_{split}/ have no labels; put it there, or leave "
                f"them out by missing_images = skip."
            )
        nested = root / f"cars_{split}" / f"cars_{split}"
        below = f"cars_{split}/cars_{split}" if nested.is_dir() else f"cars_{split}"
        rows = _matlab(file, "annotations", ("fname", "class"))
        names += [f"{below}/{name}" for name in rows["fname"]]
        numbers += rows["class"].tolist()
        own_split += [split] * len(rows)
    return _numbered(root, names, numbers, own_split)


def _combined(root: pathlib.Path, _: MissingImages) -> ImageSet | None:
    file = _devkit_file(root, "cars_annos.mat")
    if file is None or not (root / "car_ims").is_dir():
        return None
    rows = _matlab(file, "annotations", ("relative_im_path", "class", "test"))
    own_split = np.where(rows["test"].astype(int) == 1, "test", "train")
    return _numbered(root, rows["relative_im_path"], rows["class"].tolist(), own_split)


def _class_folders(root: pathlib.Path, _: MissingImages) -> ImageSet | None:
    base = next((below for below in _BY_CLASS if (root / below / "train").is_dir()), None)
    if base is None:
        return None
    names: list[str] = []
    folders: list[str] = []
    own_split: list[str] = []
    for split in ("train", "test"):
        below = pathlib.PurePosixPath(base) / split
        if (root / below).is_dir():
            part = folder(root / below)
            names += [f"{below}/{name}" for name in part.ids]
            folders += [part.class_names[label] for label in part.labels]
            own_split += [split] * len(part)
    class_names = _class_names(root) or sorted(set(folders))
    label_of = {_as_folder(name): label for label, name in enumerate(class_names)}
    unknown = sorted({name for name in folders if _as_folder(name) not in label_of})
    if unknown:
        raise UserError(
            f"cars_meta.mat names no class like the folder {unknown[0]!r}; rename it, or move it "
            f"out of {str(root / base)!r}."
        )
    labels = [label_of[_as_folder(name)] for name in folders]
    return file_set(root, names, labels, class_names, own_split)


def _as_folder(class_name: str) -> str:
    # "Ram C/V Cargo Van Minivan 2012" cannot be the name of a folder.
    return re.sub(r"\W|_", "", class_name)


def _numbered(
    root: pathlib.Path,
    names: Sequence[str] | np.ndarray,
    numbers: list[int],
    own_split: Sequence[str] | np.ndarray,
) -> ImageSet:
    class_names = _class_names(root) or [str(n) for n in range(1, max(numbers, default=0) + 1)]
    return file_set(root, names, np.array(numbers, int) - 1, class_names, own_split)


def _class_names(root: pathlib.Path) -> list[str]:
    file = _devkit_file(root, "cars_meta.mat")
    return [] if file is None else [str(name) for name in _matlab(file, "class_names")]


def _devkit_file(root: pathlib.Path, *names: str) -> pathlib.Path | None:
    files = (root / below / name for name in names for below in _DEVKITS)
    return next((file for file in files if file.is_file()), None)


def _matlab(file: pathlib.Path, variable: str, fields: Sequence[str] = ()) -> np.ndarray:
    """Returns a variable of a MATLAB 5 file as an array `[N]` that has these fields."""
    try:
        rows = np.atleast_1d(scipy.io.loadmat(file, squeeze_me=True)[variable])
        for field in fields:
            rows[field]
    except Exception as error:
        raise UserError(
            f"{str(file)!r} does not hold the {variable} of Cars-196 ({error!r}); get it again."
        ) from error
    return rows
