"""Defines how a dataset that TensorFlow Datasets (TFDS) has prepared is found on disk."""

import difflib
import importlib.util
import pathlib
import shlex

import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from nfl_keras.errors import UserError

_OURS = "stanford_cars196"
# What TFDS' command imports, but TFDS does not install (tensorflow/datasets #5463).
_TFDS_NEEDS = {
    "apache_beam": "apache-beam",
    "importlib_resources": "importlib_resources",
    "mlcroissant": "mlcroissant",
}
_BUILDER_NEEDS = {"caltech_birds2011": {"cv2": "opencv-python-headless"}}


def find_prepared(names, data_dir=None):
    """The first of several names of a dataset under which TFDS has prepared it.

    Args:
        names: sequence of str, as for `prepared`.
        data_dir: as for `prepared`.

    Returns:
        str, or `None` where none of them is prepared.
    """
    return next((name for name in names if find_builder(name, data_dir) is not None), None)


def can_be_prepared(name):
    """Whether TFDS, or this package for it, can prepare a dataset of this name."""
    return _base_name(name) in _known_names()


def _known_names():
    return [_OURS, *tfds.list_builders(with_community_datasets=False)]


def find_builder(name, data_dir):
    where = {}
    if data_dir is not None:
        folder = pathlib.Path(data_dir).expanduser()
        if (folder / "dataset_info.json").is_file():
            builder = tfds.builder_from_directory(folder)
            return builder if builder.name == _base_name(name) else None
        where["data_dir"] = str(folder.parent if folder.name == _base_name(name) else folder)
    try:
        return read_only_builder.builder_from_files(name, **where)
    except tfds.core.DatasetNotFoundError:
        return None
    except ValueError as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{name!r} cannot be looked up: {reason}") from error


def _base_name(name):
    return name.partition(":")[0].partition("/")[0]


def how_to_prepare(name, data_dir):
    folder = str(tfds.core.constants.DATA_DIR if data_dir is None else data_dir)
    base = _base_name(name)
    known = _known_names()
    if base not in known:
        alike = difflib.get_close_matches(base, known)
        mend = f"did you mean {' or '.join(alike)}?" if alike else "see tfds.list_builders()."
        return f"TFDS knows no dataset {name!r}, and none is prepared below {folder!r}; {mend}"
    options = f"--data_dir {shlex.quote(folder)} --file_format=array_record"
    build, again = f"tfds build {name} {options}", "then your command again"
    if base in (_OURS, "cars196"):
        build = (
            f"tfds build {_OURS} --imports nfl_keras.data.sources.cars196_builder "
            f"--manual_dir DIR {options}"
        )
        again = "DIR being the folder that holds cars_train/, then your command again"
    if base == "cars196":
        again += f" with {_OURS} for cars196, whose download has answered 404 since 2023"
    needs = _TFDS_NEEDS | _BUILDER_NEEDS.get(base, {})
    missing = [package for module, package in needs.items() if not importlib.util.find_spec(module)]
    if missing:
        build = f"pip install {' '.join(missing)} && {build}"
    return f"{name} is not prepared below {folder!r}; run `{build}`, {again}."
