"""Defines how errors of TensorFlow are explained by the photographs that caused them."""

import contextlib
from collections.abc import Iterator

from nfl_keras.data.decoding.check_images import check_images
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf


@contextlib.contextmanager
def explain_photograph_errors(image_set: ImageSet) -> Iterator[None]:
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
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError:
        check_images(image_set)
        raise
