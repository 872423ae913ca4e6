"""One door to every dataset."""

import os

from nfl_keras.data.protocols import split_set
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.flowers17 import flowers17
from nfl_keras.data.sources.folder import folder
from nfl_keras.errors import UserError

DATASETS = ("blooms", "flowers17")


def default_protocol(name_or_folder):
    """The protocol under which `load` splits a dataset unless told otherwise."""
    return "fine-grained" if name_or_folder == "flowers17" else "zero-shot"


def load(name_or_folder, data_dir=None, protocol=None, split="train", seed=0):
    """Loads one split of a dataset.

    Args:
        name_or_folder: str or path. `"blooms"`, flowers that the package draws itself;
            `"flowers17"`, Oxford Flowers-17; or a folder with one folder of photographs per
            class.
        data_dir: str, where a named dataset lies. Defaults to `None`: `"flowers17"` is then
            downloaded.
        protocol: `"fine-grained"` or `"zero-shot"`, see `nfl_keras.data.protocols`. Defaults
            to fine-grained with 40 / 25 / 15 photographs per class for `"flowers17"`, and to
            zero-shot for the others.
        split: `"train"`, `"gallery"`, `"query"` or `"all"`. Defaults to `"train"`.
        seed: int, of the fine-grained split. Defaults to `0`.

    Returns:
        An `ImageSet` with `ids`, `labels` (int32), `class_names` and `read(i)`, which gives
        encoded bytes.

    Raises:
        UserError: if the dataset is not known or not found, with the files expected.

    Example:

    >>> nfl.data.load("blooms", split="train")
    ImageSet(800 photographs of 20 classes)
    """
    name_or_folder = os.fspath(name_or_folder)
    protocol = protocol or default_protocol(name_or_folder)
    if name_or_folder == "blooms":
        return split_set(blooms(), protocol, split, seed)
    if name_or_folder == "flowers17":
        return split_set(flowers17(data_dir), protocol, split, seed, per_class=(40, 25, 15))
    if os.path.isdir(name_or_folder) or os.sep in name_or_folder:
        return split_set(folder(name_or_folder), protocol, split, seed)
    raise UserError(
        f"there is neither a dataset nor a folder {name_or_folder!r}; give {', '.join(DATASETS)}, "
        f"or a folder with one folder of photographs per class."
    )
