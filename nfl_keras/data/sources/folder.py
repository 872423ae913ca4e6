"""Defines how a folder with one folder per class is read."""

import collections
import pathlib
import sys
import unicodedata
import warnings
from collections.abc import Mapping

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.class_order import class_order
from nfl_keras.data.sources.file_set import SUFFIXES, file_set
from nfl_keras.data.sources.folder_tree import FolderTree, folder_tree
from nfl_keras.data.sources.split_folders import split_folders
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

_NO_SPLIT = sys.maxsize  # The depth of class folders below a folder that is none of the splits.


def folder(path: Path) -> ImageSet:
    """Returns all photographs of a folder with one folder per class, perhaps below splits.

    A photograph's id is its path below the folder. Photographs in folders below a class' own
    belong to the class. Folders that are called `train`, `test`, `val`,
    `query`, `gallery` or alike and hold class folders are the dataset's own split, see
    `split_folders` and `split_meanings`. A class may be missing in some of them.

    One warning counts what is left out: files with other suffixes, photographs in no class
    folder, class folders without a photograph. Hidden files are passed over.

    Args:
        path: str or path.

    Returns:
        An `ImageSet` with its classes in the order of `class_order`.

    Raises:
        UserError: if the folder does not exist, or holds no photograph in a class folder.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.folder import folder
    >>> for name in ("flowers/train/rose", "flowers/test/rose"):
    ...     pathlib.Path(name).mkdir(parents=True)
    ...     pathlib.Path(name, "1.jpg").touch()
    >>> flowers = folder("flowers")
    >>> flowers.ids.tolist(), flowers.own_split.tolist()
    (['test/rose/1.jpg', 'train/rose/1.jpg'], ['test', 'train'])
    """
    root = pathlib.Path(path)
    if not root.is_dir():
        raise UserError(f"there is no folder {str(root)!r}. Expected:\n{_tree(root.name)}")
    tree = folder_tree(root)
    splits = split_folders(tree.photographs)
    class_of: dict[str, str] = {}
    class_folders = set()
    for name in tree.photographs:
        *above, _ = name.split("/")
        _, depth = splits.get(above[0] if above else "", ("", _NO_SPLIT if splits else 0))
        if len(above) > depth:
            class_of[name] = unicodedata.normalize("NFC", above[depth])
            class_folders.add("/".join(above[: depth + 1]))
    class_names = class_order(class_of.values())
    left_out = _left_out(tree, splits, len(class_of), class_folders)
    if not class_of:
        raise UserError(
            f"the folder {str(root)!r} holds no class folders with photographs "
            f"({', '.join(SUFFIXES)}){left_out and f', but {left_out}'}. Expected:\n"
            f"{_tree(root.name)}"
        )
    if len(class_folders) == 1 and not splits and all(name.count("/") > 1 for name in class_of):
        (only,) = class_folders
        raise UserError(
            f"the folder {str(root)!r} holds photographs in the folder {only!r} alone; if the "
            f"folders in that one are the classes, give {str(root / only)!r}."
        )
    if left_out:
        warnings.warn(
            f"of the folder {str(root)!r} are left out: {left_out}. Photographs have the suffixes "
            f"{', '.join(SUFFIXES)}, and lie in class folders.",
            stacklevel=2,
        )
    label_of = {class_name: label for label, class_name in enumerate(class_names)}
    return file_set(
        root,
        list(class_of),
        [label_of[class_name] for class_name in class_of.values()],
        class_names,
        [splits[name.partition("/")[0]][0] for name in class_of] if splits else None,
    )


def _left_out(
    tree: FolderTree, splits: Mapping[str, tuple[str, int]], read: int, class_folders: set[str]
) -> str:
    """Returns in words what lies in the folder and is not read."""
    counts = tree.others + collections.Counter(
        {"photographs in no class folder": len(tree.photographs) - read}
    )
    for path in tree.folders:
        _, depth = splits.get(path.partition("/")[0], ("", _NO_SPLIT if splits else 0))
        if path.count("/") == depth and path not in class_folders:
            counts["class folders without a photograph"] += 1
    return ", ".join(f"{what} ({count:,})" for what, count in counts.most_common())


def _tree(name: str) -> str:
    return (
        f"  {name or 'folder'}/\n"
        "    first class/\n"
        "      any name.jpg\n"
        "      ...\n"
        "    second class/\n"
        "      ...\n"
        "or the same in train/ and test/ (or gallery/ and query/)"
    )
