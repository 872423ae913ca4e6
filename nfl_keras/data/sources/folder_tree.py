"""Defines the listing of a folder: its photographs, and what else lies there."""

import collections
import os
import pathlib
import posixpath
from typing import NamedTuple

from nfl_keras.data.sources.file_set import SUFFIXES
from nfl_keras.errors import UserError

# What systems put into folders, in lower case. Names that begin with a dot are passed over, too.
_LITTER = ("$recycle.bin", "@eadir", "__macosx", "desktop.ini", "icon\r", "lost+found", "thumbs.db")


class FolderTree(NamedTuple):
    """What lies below a folder, by paths below it, with `/`.

    Args:
        photographs: list of str, files with the suffix of a photograph, those of a folder before
            those of the folders in it, in alphabetical order.
        folders: list of str, all folders.
        others: `Counter` of what lies in the folders and is no photograph, in words.
    """

    photographs: list[str]
    folders: list[str]
    others: collections.Counter[str]


def folder_tree(root: pathlib.Path) -> FolderTree:
    """Lists what lies below a folder, except what is hidden and what systems put there.

    It follows symbolic links, but none to a folder that holds the link. Of files directly in the
    folder it lists photographs alone.

    Args:
        root: `pathlib.Path`.

    Returns:
        A `FolderTree`.

    Raises:
        UserError: if a folder cannot be listed.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.folder_tree import folder_tree
    >>> pathlib.Path("flowers/rose").mkdir(parents=True)
    >>> pathlib.Path("flowers/rose/1.jpg").touch(), pathlib.Path("flowers/rose/2.heic").touch()
    (None, None)
    >>> folder_tree(pathlib.Path("flowers"))
    FolderTree(photographs=['rose/1.jpg'], folders=['rose'], others=Counter({'.heic files': 1}))
    """
    tree = FolderTree([], [], collections.Counter())
    unlisted = [""]
    while unlisted:
        below = unlisted.pop()
        folders = []
        for entry in _visible(root / below):
            path = posixpath.join(below, entry.name)
            if entry.is_dir():
                if entry.is_symlink() and _holds_itself(root, path):
                    tree.others["links to folders above them"] += 1
                else:
                    folders.append(path)
            elif not entry.is_file():
                tree.others["links to nothing and special files"] += 1
            elif entry.name.lower().endswith(SUFFIXES):
                tree.photographs.append(path)
            elif below:
                suffix = posixpath.splitext(entry.name)[1].lower()
                tree.others[f"{suffix} files" if suffix else "files without a suffix"] += 1
        tree.folders.extend(folders)
        unlisted.extend(reversed(folders))
    return tree


def _visible(folder: pathlib.Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            seen = [e for e in entries if e.name[0] != "." and e.name.lower() not in _LITTER]
    except OSError as error:
        raise UserError(
            f"the folder {str(folder)!r} cannot be listed ({error.strerror}); make it readable, "
            f"or move it away."
        ) from error
    return sorted(seen, key=lambda entry: entry.name)


def _holds_itself(root: pathlib.Path, path: str) -> bool:
    above = [root / folder for folder in pathlib.PurePosixPath(path).parents]
    return any(os.path.samefile(root / path, folder) for folder in above)
