"""Defines how a dataset that TensorFlow Datasets (TFDS) has prepared is found on disk."""

import difflib
import importlib.util
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from nfl_keras.errors import UserError
from nfl_keras.typing import Path

_OURS = "stanford_cars196"
# Modules that TFDS' command imports, but that TFDS does not install (tensorflow/datasets #5463).
_TFDS_NEEDS = {
    "apache_beam": "apache-beam",
    "importlib_resources": "importlib_resources",
    "mlcroissant": "mlcroissant",
}
_BUILDER_NEEDS = {"caltech_birds2011": {"cv2": "opencv-python-headless"}}


def find_prepared(names: Sequence[str], data_dir: Path | None = None) -> str | None:
    """Returns the first of several names under which TFDS has prepared a dataset.

    Args:
        names: sequence of str, see `tfds_dataset`.
        data_dir: str or path, see `tfds_dataset`. Defaults to `None`.

    Returns:
        str, or `None` if TFDS has prepared none of them.
    """
    return next((name for name in names if find_builder(name, data_dir) is not None), None)


def can_be_prepared(name: str) -> bool:
    """Returns whether TFDS, by its own builders or by ours, can prepare a dataset of this name."""
    return _base_name(name) in _known_names()


def _known_names() -> list[str]:
    return [_OURS, *tfds.list_builders(with_community_datasets=False)]


def find_builder(name: str, data_dir: Path | None) -> Any:
    """Returns TFDS' builder of a dataset that it has prepared, without running the builder's code.

    Args:
        name: str, see `tfds_dataset`.
        data_dir: str, path or `None`, see `tfds_dataset`.

    Returns:
        A `tfds.core.DatasetBuilder`, or `None` if TFDS has not prepared the dataset.

    Raises:
        UserError: if TFDS cannot look up the name.
    """
    where: dict[str, str] = {}
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


def _base_name(name: str) -> str:
    return name.partition(":")[0].partition("/")[0]


def how_to_prepare(name: str, data_dir: Path | None) -> str:
    """Returns the message for a dataset that TFDS has not prepared, with the command to run.

    Args:
        name: str, see `tfds_dataset`.
        data_dir: str, path or `None`, see `tfds_dataset`.
    """
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
        again = "where DIR is the folder that holds cars_train/, then your command again"
    if base == "cars196":
        again += f" with {_OURS} for cars196, whose download has answered 404 since 2023"
    needs = _TFDS_NEEDS | _BUILDER_NEEDS.get(base, {})
    missing = [package for module, package in needs.items() if not importlib.util.find_spec(module)]
    if missing:
        build = f"pip install {' '.join(missing)} && {build}"
    return f"{name} is not prepared below {folder!r}; run `{build}`, {again}."
