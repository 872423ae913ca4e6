"""Encoded images to the crops that are embedded, one bad image at a time, as a TensorFlow graph.

It is the way of `nfl.retrieval.embed`: the same decoding, the same resizing, the same crops. What
Pillow does there is done in the graph here, since no Python runs in TF Serving: telling formats
apart, reading sizes and EXIF. Of an animation the first frame is decoded; where it lies on the
canvas makes no difference.
"""

import functools

import tensorflow as tf

from nfl_keras.data.decoding import WHOLE, decode_by, jpeg_way, upright
from nfl_keras.data.views import inference_crops
from nfl_keras.serving.exif import orientation
from nfl_keras.serving.formats import GIF, JPEG, PNG, UNKNOWN, WEBP, declared_size, format_of
from nfl_keras.serving.gif import first_frame
from nfl_keras.serving.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE
from nfl_keras.serving.webp import still_image

# A shorter side of one pixel is enlarged to `image_size`, and the longer one with it.
MAX_ASPECT = 100

# Headers read at the same time, each with up to a hundred megabytes of tables for a GIF.
_PARALLEL = 4


def decode_crops(images, image_size, crops, max_pixels):
    """The crops of each image that can be decoded, and what is wrong with the others.

    Headers are read without an error. Only decoding, which knows no other answer to a damaged
    image, is done in a pipeline that drops what fails. (Under TF Serving's batching an error would
    be that of every request in the batch.) TensorFlow builds the function of a pipeline anew at
    each request, so there is no more in it than must be.

    Args:
        images: string `[N]`, encoded images.
        image_size: int S, side of the crops.
        crops: int C, 1 or 3, see `nfl_keras.data.views.inference_crops`.
        max_pixels: int. An image that declares more is not decoded.

    Returns:
        `(status, rows, pixels)`: int32 `[N]`, see `nfl_keras.serving.status`; int32 `[M]`, the
        places in the request of the images that are `OK`; their crops, float32 `[M, C, S, S, 3]`
        in 0..255. Where none is, M is 1: crops of zeros of a row N, which there is not.
    """
    count = tf.size(images)
    headers = tf.map_fn(
        functools.partial(_header, image_size=image_size, max_pixels=max_pixels),
        images,
        parallel_iterations=_PARALLEL,
        fn_output_signature=(tf.int32, tf.string, tf.int32, tf.int32),
    )
    # The shapes of no images are not known to TensorFlow.
    status, *decodable = (tf.ensure_shape(tf.reshape(part, (-1,)), (None,)) for part in headers)
    rows = tf.where(status == OK)[:, 0]

    def crops_of(row, encoded, way, turn):
        image = upright(decode_by(encoded, way), turn)
        return tf.cast(row, tf.int32), inference_crops(image, image_size, crops)

    decoded = (
        tf.data.Dataset.from_tensor_slices((rows, *(tf.gather(part, rows) for part in decodable)))
        .map(crops_of, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(tf.maximum(tf.cast(count, tf.int64), 1))
        .with_options(_options())
    )
    none = count[None], tf.zeros((1, crops, image_size, image_size, 3))
    rows, pixels = decoded.reduce(none, lambda _, batch: batch)
    is_decoded = tf.scatter_nd(rows[:, None], tf.ones_like(rows), (count + 1,))[:count] > 0
    return tf.where((status == OK) & ~is_decoded, DAMAGED, status), rows, pixels


def _header(encoded, image_size, max_pixels):
    """The status, and what to decode, which way, and how to turn it."""
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


def _options():
    # A request is one short pass: what tunes a pipeline over time only costs it time.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options
