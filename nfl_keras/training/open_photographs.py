"""A run's dataset, and what is done about photographs that cannot be decoded."""

import contextlib

import tensorflow as tf

from nfl_keras.data import bad_images, check_images, open_dataset


def open_photographs(config):
    """The dataset of a `TrainConfig`, looked through as it says.

    Returns:
        `(dataset, bad)`: a `Dataset` less the bad photographs, and a dict from the id of each
        of these to what is wrong with it.

    Raises:
        UserError: if the dataset cannot be used, holds bad photographs that are not to be
            skipped, or no others.
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
def blaming_photographs(image_set):
    """Around a run: a failed read or decode becomes a `UserError` that names the photograph.

    For a photograph that was damaged or removed after the run had looked through them all, or
    in a run that did not look.
    """
    try:
        yield
    except tf.errors.OpError:
        check_images(image_set)
        raise
