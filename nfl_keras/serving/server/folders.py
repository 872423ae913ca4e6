"""Which models and versions a folder holds."""

import pathlib

from nfl_keras.servable.version_folder import versions_in


def models_in(directory):
    """The models of a served folder: itself by its name, or each folder in it with versions.

    Args:
        directory: str or path, `<directory>/<version>/` or `<directory>/<name>/<version>/`.

    Returns:
        Dict from the name of each model to the folder of its versions.
    """
    directory = pathlib.Path(directory).resolve()
    if versions_in(directory):
        return {directory.name: directory}
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        return {}
    return {e.name: e for e in entries if not e.name.startswith(".") and versions_in(e)}


def fingerprint(path):
    """What changes when a version's files are written anew: names, sizes and times.

    Args:
        path: path, a version folder.
    """
    found = []
    for file in sorted(path.rglob("*")):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((str(file), status.st_size, status.st_mtime_ns))
    return tuple(found)


def wanted_versions(policy, numbers):
    """The versions that a policy of TF Serving's model configuration asks for.

    Args:
        policy: `FileSystemStoragePathSourceConfig.ServableVersionPolicy`, or None for the latest.
        numbers: Versions that there are.

    Returns:
        List of versions, newest first, and how many of them to serve: one that cannot be loaded
        gives its place to the next.
    """
    choice = policy.WhichOneof("policy_choice") if policy is not None else None
    newest_first = sorted(numbers, reverse=True)
    if choice == "all":
        return newest_first, len(newest_first)
    if choice == "specific":
        asked = [number for number in newest_first if number in policy.specific.versions]
        return asked, len(asked)
    return newest_first, max(policy.latest.num_versions, 1) if choice == "latest" else 1
