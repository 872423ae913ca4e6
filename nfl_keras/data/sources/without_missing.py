"""Defines what is done about photographs that a dataset lists but that have no file."""

from nfl_keras.data.sources.file_set import files_exist
from nfl_keras.errors import UserError


def without_missing(image_set, root, missing_images, name, total=None):
    """The photographs of a set whose files are there.

    Args:
        image_set: `ImageSet` whose ids are names below the root.
        root: str or `pathlib.Path`.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
        name: str, of the dataset.
        total: int, photographs of the whole dataset. Defaults to those of the set.

    Returns:
        An `ImageSet`; where it is not the whole dataset, its description says what part. It is
        empty where no file is there.

    Raises:
        UserError: if some photographs, but not all, are missing under `"error"`.
    """
    there = files_exist(root, image_set.ids)
    missing = image_set.ids[~there]
    found, total = int(there.sum()), len(image_set) if total is None else total
    if found and len(missing) and missing_images == "error":
        raise UserError(
            f"{len(missing):,} of the {len(image_set):,} photographs of {name} are not below "
            f"{str(root)!r} (the first: {', '.join(missing[:3])}); put them there, or do without "
            f"them by missing_images = skip."
        )
    if found == len(image_set) == total:
        return image_set
    return image_set.subset(there, f"in part: {found:,} of {total:,} photographs")
