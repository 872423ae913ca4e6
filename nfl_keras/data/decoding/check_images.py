"""Defines the search for photographs that cannot be used, before a run depends on them."""

from nfl_keras.data.decoding.photograph_error import DAMAGED
from nfl_keras.data.decoding.reader import noting_reader
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.errors import UserError
from nfl_keras.progress import Progress

_NAMED = 5


def bad_images(image_set: ImageSet, show_progress: bool = True) -> dict[str, str]:
    """Reads and decodes every photograph once, and returns those that cannot be used.

    It takes about as long as the input of one epoch, and keeps no photograph in memory.

    Args:
        image_set: `nfl.data.ImageSet`.
        show_progress: bool, whether work that takes longer than a few seconds shows what is done
            and the time left on stderr: as a bar on a terminal, and elsewhere as a line every half
            minute. Defaults to `True`.

    Returns:
        A dict from the id of each photograph that cannot be used to the reason, in the set's
        order.

    Example:

    >>> read = nfl.data.load("blooms").read
    >>> files = [read(0), b"", read(1)[:100]]
    >>> image_set = nfl.data.ImageSet(["a", "b", "c"], [0, 0, 0], ["rose"], files.__getitem__)
    >>> nfl.data.bad_images(image_set)
    {'b': 'zero bytes', 'c': 'truncated or damaged'}
    """
    reasons: dict[int, str] = {}
    pixels = noting_reader(image_set, reasons)
    # The graph asks for the size, since TensorFlow does not decode pixels that nothing uses.
    sizes = (
        tf.data.Dataset.range(len(image_set))
        .map(
            lambda position: (position, tf.size(pixels(position)[0])),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .ignore_errors()
    )
    good = set()
    with Progress(len(image_set), "photographs checked", show_progress) as progress:
        for position, _ in sizes.as_numpy_iterator():
            good.add(int(position))
            progress.add(int(position) + 1 - progress.done)  # The bad ones before it, too.
    return {
        str(image_set.ids[position]): reasons.get(position, DAMAGED)
        for position in range(len(image_set))
        if position not in good
    }


def check_images(image_set: ImageSet, show_progress: bool = True) -> None:
    """Checks that every photograph of an image set can be read and decoded.

    Args:
        image_set: `nfl.data.ImageSet`.
        show_progress: bool, see `bad_images`. Defaults to `True`.

    Raises:
        UserError: if one cannot. The message names photographs and reasons, see `bad_images`.

    Example:

    >>> nfl.data.check_images(nfl.data.load("blooms").subset(range(10)))
    """
    bad = bad_images(image_set, show_progress)
    if bad:
        named = [f"{name} ({reason})" for name, reason in list(bad.items())[:_NAMED]]
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        raise UserError(
            f"{len(bad)} of {len(image_set)} photographs cannot be used: "
            f"{', '.join(named)}{more}; replace or remove them."
        )
