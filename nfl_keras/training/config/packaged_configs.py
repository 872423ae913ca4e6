"""The YAML files of settings that come with the package."""

import os
import pathlib

from nfl_keras.errors import UserError
from nfl_keras.files import local_path

_FOLDER = pathlib.Path(__file__).parents[2] / "configs"


def packaged_configs() -> list[str]:
    """Lists the names of the packaged configs, in order.

    Example:

    >>> from nfl_keras.training.config.packaged_configs import packaged_configs
    >>> "flowers17" in packaged_configs()
    True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def find_config(name_or_path: str | os.PathLike[str], folder: pathlib.Path) -> pathlib.Path:
    """Finds a file of settings by its path, or by the name of a packaged config.

    If both are there, it is the file at the path.

    Args:
        name_or_path: str or path. What has neither folder nor suffix is a name.
        folder: `pathlib.Path` that a path is relative to.

    Returns:
        The `pathlib.Path`, which need not exist unless a name was given.

    Raises:
        UserError: if no packaged config has that name.

    Example:

    >>> import pathlib
    >>> from nfl_keras.training.config.packaged_configs import find_config
    >>> find_config("flowers17", pathlib.Path()).name
    'flowers17.yaml'
    """
    path = folder / local_path(name_or_path)
    name = os.fspath(name_or_path)
    if os.sep in name or pathlib.Path(name).suffix or path.is_file():
        return path
    if name not in packaged_configs():
        raise UserError(
            f"no config is named {name!r}; choose one of {', '.join(packaged_configs())}, or give "
            f"the path of a YAML file."
        )
    return _FOLDER / f"{name}.yaml"
