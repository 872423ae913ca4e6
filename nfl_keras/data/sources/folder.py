"""Any folder of class folders."""

import pathlib

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError

_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp"}


def folder(path):
    """All photographs of a folder with one folder per class.

    A photograph's id is its path below the folder. Hidden entries, other files, and class
    folders without photographs are passed over.

    Args:
        path: str or `pathlib.Path`.

    Returns:
        An `ImageSet`; classes in alphabetical order.

    Raises:
        UserError: if there is no such folder, or no photograph in it.
    """
    root = pathlib.Path(path)
    if not root.is_dir():
        raise UserError(f"there is no folder {str(root)!r}. Expected:\n{_tree(root.name)}")
    class_folders = sorted(p for p in root.iterdir() if p.is_dir() and p.name[0] != ".")
    files, labels, class_names = [], [], []
    for class_folder in class_folders:
        photographs = sorted(
            p
            for p in class_folder.iterdir()
            if p.suffix.lower() in _SUFFIXES and p.name[0] != "." and p.is_file()
        )
        if photographs:
            files += photographs
            labels += [len(class_names)] * len(photographs)
            class_names.append(class_folder.name)
    if not files:
        raise UserError(
            f"the folder {str(root)!r} holds no class folders with photographs "
            f"({', '.join(sorted(_SUFFIXES))}). Expected:\n{_tree(root.name)}"
        )
    return ImageSet(
        ids=[file.relative_to(root).as_posix() for file in files],
        labels=labels,
        class_names=class_names,
        read=lambda position: files[position].read_bytes(),
    )


def _tree(name):
    return (
        f"  {name or 'folder'}/\n"
        "    first class/\n"
        "      any name.jpg\n"
        "      ...\n"
        "    second class/\n"
        "      ..."
    )
