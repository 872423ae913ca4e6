"""Encoded images to the crops that are embedded, one bad image at a time, as a TensorFlow graph.

It is the way of `nfl.retrieval.embed`: the same decoding, the same resizing, the same crops. What
Pillow does there is done in the graph here, since no Python runs in TF Serving: telling formats
apart, reading sizes and EXIF. Of an animation the first frame is decoded; where it lies on the
canvas makes no difference.
"""

import functools

import tensorflow as tf

from nfl_keras.data.decoding import decode, upright
from nfl_keras.data.views import inference_crops
from nfl_keras.serving.exif import orientation
from nfl_keras.serving.formats import BMP, GIF, JPEG, PNG, UNKNOWN, WEBP, declared_size, format_of
from nfl_keras.serving.gif import first_frame
from nfl_keras.serving.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE
from nfl_keras.serving.webp import still_image

# A shorter side of one pixel is enlarged to `image_size`, and the longer one with it.
MAX_ASPECT = 100


def decode_crops(images, image_size, crops, max_pixels):
    """The crops of each image that can be decoded, and what is wrong with the others.

    One pipeline decodes all images of a request in parallel and drops those that fail. (Under TF
    Serving's batching an error would be that of every request in the batch.)

    Args:
        images: string `[N]`, encoded images.
        image_size: int S, side of the crops.
        crops: int C, 1 or 3, see `nfl_keras.data.views.inference_crops`.
        max_pixels: int. An image that declares more is not decoded.

    Returns:
        `(rows, statuses, pixels)`: int32 `[M]`, the images' places in the request; int32 `[M]`,
        see `nfl_keras.serving.status`; float32 `[M, C, S, S, 3]` in 0..255, zeros where the status
        is not `OK`. An image that is not among them is damaged. M is 1 at least: where no image is
        left there is row 0, damaged.
    """

    def numbered_crops(row, encoded):
        return row, *_crops_of(encoded, image_size, crops, max_pixels)

    count = tf.size(images, out_type=tf.int64)
    decoded = (
        tf.data.Dataset.from_tensor_slices((tf.range(tf.size(images)), images))
        .map(numbered_crops, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(tf.maximum(count, 1))
        .with_options(_options())
    )
    no_pixels = tf.zeros((1, crops, image_size, image_size, 3))
    none = tf.constant([0]), tf.constant([DAMAGED]), no_pixels
    return decoded.reduce(none, lambda _, batch: batch)


def _crops_of(encoded, image_size, crops, max_pixels):
    image_format = format_of(encoded)
    # Short of this, `decode` may give a JPEG that has to be enlarged again.
    side = -(-16 * image_size // 15)

    def refused():
        status = tf.where(tf.strings.length(encoded) > 0, NOT_AN_IMAGE, EMPTY)
        return status, nothing()

    def nothing():
        return tf.zeros((crops, image_size, image_size, 3))

    def looked_at():
        same = tf.identity
        ways = {JPEG: same, PNG: same, WEBP: still_image, GIF: first_frame, BMP: same}
        ways = {key: functools.partial(way, encoded) for key, way in ways.items()}
        still = tf.switch_case(image_format, ways)
        status = _status_of(declared_size(still, image_format), max_pixels)
        return status, tf.cond(status == OK, lambda: cropped(still), nothing)

    def cropped(still):
        image = tf.cond(
            image_format == WEBP,
            lambda: tf.io.decode_image(still, expand_animations=False)[..., :3],
            lambda: decode(still, side),
        )
        image = upright(tf.ensure_shape(image, (None, None, 3)), orientation(encoded, image_format))
        return inference_crops(image, image_size, crops)

    return tf.cond(image_format == UNKNOWN, refused, looked_at)


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
