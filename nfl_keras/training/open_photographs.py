"""Defines how a run opens its dataset, and reports photographs that cannot be decoded."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from nfl_keras.data import Dataset, ImageSet, bad_images, check_images, open_dataset
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


@contextlib.contextmanager
def translate_photograph_errors(image_set: ImageSet) -> Iterator[None]:
    """Returns a context that turns a failed read into a `UserError` that names the photograph.

    Such a photograph was damaged or removed after `open_photographs` had decoded it, or the run
    did not decode the photographs first. Other errors stay as they are.

    Args:
        image_set: `ImageSet` that is read within the context.

    Raises:
        UserError: in the place of a TensorFlow error, if photographs cannot be decoded.
    """
    try:
        yield
    except tf.errors.OpError:
        check_images(image_set)
        raise
