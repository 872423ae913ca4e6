"""Defines how a run opens its dataset and finds photographs that cannot be decoded."""

from nfl_keras.data import Dataset, bad_images, check_images, open_dataset
from nfl_keras.training.config import TrainConfig


def open_photographs(config: TrainConfig) -> tuple[Dataset, dict[str, str]]:
    """Opens the dataset of a `TrainConfig`, and decodes every photograph if it asks for that.

    Args:
        config: `TrainConfig`.

    Returns:
        `(dataset, bad)`: a `Dataset` without the bad photographs, and a dict from their ids to
        the reasons.

    Raises:
        UserError: if the dataset cannot be used, if it has bad photographs and the config does
            not skip them, or if all photographs are bad.
    """
    dataset = open_dataset(config.data.dataset, config.data.data_dir, config.data.missing_images)
    if not config.data.check_images:
        return dataset, {}
    if config.data.on_bad_image == "stop":
        check_images(dataset.whole)
        return dataset, {}
    bad = bad_images(dataset.whole)
    if len(bad) == len(dataset.whole):
        check_images(dataset.whole)
    if bad:
        print(
            f"{len(bad):,} of {len(dataset.whole):,} photographs cannot be used and are left "
            f"out (listed in bad_images.json)",
            flush=True,
        )
    return dataset.without(bad), bad
