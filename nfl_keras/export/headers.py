"""What is known of encoded images before they are decoded, as a TensorFlow graph."""

import functools

import tensorflow as tf

from nfl_keras.data.decoding.decode import WHOLE, jpeg_way
from nfl_keras.export.exif import orientation
from nfl_keras.export.formats import GIF, JPEG, PNG, UNKNOWN, WEBP, declared_size, format_of
from nfl_keras.export.gif import first_frame
from nfl_keras.export.webp import still_image
from nfl_keras.servable.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE

# A shorter side of one pixel is enlarged to `image_size`, and the longer one with it.
MAX_ASPECT = 100

# Headers read at the same time, each with up to a hundred megabytes of tables for a GIF.
_PARALLEL = 4


def read_headers(images, image_size, max_pixels):
    """Reads the headers of a request's images. No image makes it fail.

    Args:
        images: string `[N]`, encoded images.
        image_size: int S, pixels wanted on the shorter side.
        max_pixels: int. An image that declares more is too large.

    Returns:
        `(status, stills, ways, turns)`: int32 `[N]`, see `nfl_keras.servable.status`, `OK` being
        what may be decoded; string `[N]`, images of one frame; int32 `[N]`, for
        `nfl_keras.data.decoding.decode.decode_by`; int32 `[N]`, EXIF orientations.
    """
    read = functools.partial(_read_header, image_size=image_size, max_pixels=max_pixels)
    kinds = tf.int32, tf.string, tf.int32, tf.int32
    return tf.map_fn(read, images, parallel_iterations=_PARALLEL, fn_output_signature=kinds)


def _read_header(encoded, image_size, max_pixels):
    image_format = format_of(encoded)
    stills = {JPEG: tf.identity, PNG: tf.identity, WEBP: still_image, GIF: first_frame}
    stills = {key: functools.partial(still, encoded) for key, still in stills.items()}
    still = tf.switch_case(image_format, stills, default=lambda: encoded)
    size = declared_size(still, image_format)
    # Short of this, a reduced JPEG may have to be enlarged again.
    way = jpeg_way(tf.reduce_min(size), -(-16 * image_size // 15))
    status = _status_of(size, max_pixels)
    unknown = tf.where(tf.strings.length(encoded) > 0, NOT_AN_IMAGE, EMPTY)
    return (
        tf.where(image_format == UNKNOWN, unknown, status),
        still,
        tf.where(image_format == JPEG, way, WHOLE),
        orientation(encoded, image_format),
    )


def _status_of(size, max_pixels):
    shorter, longer = tf.reduce_min(size), tf.reduce_max(size)
    # As floats, since the product of two 32-bit numbers can be above any int64.
    pixels = tf.cast(shorter, tf.float64) * tf.cast(longer, tf.float64)
    too_large = (pixels > tf.cast(max_pixels, tf.float64)) | (longer > MAX_ASPECT * shorter)
    return tf.where(shorter < 1, DAMAGED, tf.where(too_large, TOO_LARGE, OK))
