"""What is known of encoded images before they are decoded, in a TensorFlow graph."""

import functools

import tensorflow as tf

from nfl_keras.data.decoding.decode import WEBP, WHOLE, jpeg_way
from nfl_keras.export import formats
from nfl_keras.export.exif import orientation
from nfl_keras.servable.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE, UNSUPPORTED

# A shorter side of one pixel is enlarged to `image_size`, and the longer one with it.
MAX_ASPECT = 100

_REFUSALS = {
    formats.ANIMATED_WEBP: UNSUPPORTED,
    formats.GIF: UNSUPPORTED,
    formats.UNKNOWN: NOT_AN_IMAGE,
}


def read_headers(
    images: tf.Tensor, image_size: int, max_pixels: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads the headers of a request's images, string `[N]`. No image raises an error.

    Returns:
        `(status, ways, turns)`, each int32 `[N]`: `OK` where the image may be decoded; the
        `way` of `nfl_keras.data.decoding.decode.decode_by`; the EXIF orientation.
    """
    read = functools.partial(_read_header, image_size=image_size, max_pixels=max_pixels)
    return tf.map_fn(read, images, fn_output_signature=(tf.int32, tf.int32, tf.int32))


def _read_header(encoded, image_size, max_pixels):
    image_format = formats.format_of(encoded)
    size = formats.declared_size(encoded, image_format)
    shorter, longer = tf.reduce_min(size), tf.reduce_max(size)
    # As floats, since the product of two 32-bit numbers may exceed int64.
    pixels = tf.cast(shorter, tf.float64) * tf.cast(longer, tf.float64)
    too_large = (pixels > tf.cast(max_pixels, tf.float64)) | (longer > MAX_ASPECT * shorter)
    status = tf.where(shorter < 1, DAMAGED, tf.where(too_large, TOO_LARGE, OK))
    refusals = tf.constant([_REFUSALS.get(known, OK) for known in range(formats.UNKNOWN + 1)])
    refusal = refusals[image_format]
    status = tf.where(refusal == OK, status, refusal)
    # With fewer pixels, a reduced JPEG might have to be enlarged again.
    jpeg = jpeg_way(shorter, -(-16 * image_size // 15))
    other = tf.where(image_format == formats.WEBP, WEBP, WHOLE)
    return (
        tf.where(tf.strings.length(encoded) > 0, status, EMPTY),
        tf.where(image_format == formats.JPEG, jpeg, other),
        orientation(encoded, image_format),
    )
