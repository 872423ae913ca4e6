"""Finds photographs that cannot be read before a run depends on them."""

import tensorflow as tf

from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError
from nfl_keras.data.decoding.reader import pixels_of, read_checked
from nfl_keras.errors import UserError

_NAMED = 5


def bad_images(image_set):
    """Reads and decodes every photograph once, as training would, and says which cannot be.

    Takes about as long as the input of one epoch. No photograph is held longer than it takes
    to decode it.

    Args:
        image_set: `nfl.data.ImageSet`.

    Returns:
        A dict from the id of each photograph that cannot be used to the reason, in the set's
        order.

    Example:

    >>> bad = nfl.data.bad_images(image_set)
    >>> good = image_set.subset(np.flatnonzero(~np.isin(image_set.ids, list(bad))))
    """
    reasons = {}

    def read(position):
        # Raised within the graph, an error would be logged with its whole traceback.
        try:
            return read_checked(image_set, position)
        except UserError as error:
            known = isinstance(error, PhotographError)
            reasons[int(position)] = error.reason if known else str(error)
            return b"", 1

    pixels = pixels_of(read)
    # The size is asked for only because what nobody asks for is not decoded.
    decoded = (
        tf.data.Dataset.range(len(image_set))
        .map(
            lambda position: (position, tf.size(pixels(position))),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .ignore_errors()
    )
    good = {int(position) for position, _ in decoded.as_numpy_iterator()}
    return {
        str(image_set.ids[position]): reasons.get(position, DAMAGED)
        for position in range(len(image_set))
        if position not in good
    }


def check_images(image_set):
    """Refuses an image set in which a photograph cannot be read or decoded.

    Args:
        image_set: `nfl.data.ImageSet`.

    Raises:
        UserError: naming the photographs, and the reasons, see `bad_images`.

    Example:

    >>> nfl.data.check_images(nfl.data.load("flowers17", data_dir="flowers17"))
    """
    bad = bad_images(image_set)
    if bad:
        named = [f"{name} ({reason})" for name, reason in list(bad.items())[:_NAMED]]
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        raise UserError(
            f"{len(bad)} of {len(image_set)} photographs cannot be used: "
            f"{', '.join(named)}{more}; replace or remove them."
        )
