"""Finds photographs that cannot be read before a run depends on them."""

import tensorflow as tf

from nfl_keras.data.batches import reader
from nfl_keras.data.photographs import decode
from nfl_keras.errors import UserError


def check_images(image_set):
    """Reads and decodes every photograph once, as training would, and names those that fail.

    Takes about as long as the input of one epoch.

    Args:
        image_set: `nfl.data.ImageSet`.

    Raises:
        UserError: naming the photographs that cannot be read or decoded.

    Example:

    >>> nfl.data.check_images(nfl.data.load("flowers17", data_dir="flowers17"))
    """
    read = reader(image_set)

    def readable(position):
        tf.debugging.assert_positive(tf.size(decode(read(position))))
        return position

    positions = (
        tf.data.Dataset.range(len(image_set))
        .map(readable, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
    )
    good = {int(position) for position in positions.as_numpy_iterator()}
    bad = [str(image_set.ids[i]) for i in range(len(image_set)) if i not in good]
    if bad:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise UserError(
            f"{len(bad)} of {len(image_set)} photographs cannot be decoded: "
            f"{', '.join(bad[:5])}{more}; replace or remove them."
        )
