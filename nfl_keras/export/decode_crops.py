"""Defines how encoded images become the crops that are embedded, in a TensorFlow graph.

Decoding, resizing and crops are those of `nfl.retrieval.embed`. The graph reads headers itself,
since TensorFlow Serving runs no Python.
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from nfl_keras.data.decoding.decode import RATIOS, WEBP, WHOLE, decode_by, jpeg_way
from nfl_keras.data.decoding.photograph_error import MAX_MEMORY, MAX_SIDE
from nfl_keras.data.decoding.read_header import JPEG, RARE, UNKNOWN
from nfl_keras.data.decoding.read_header import WEBP as WEBP_FORMAT
from nfl_keras.data.views.inference_crops import CropPlan, cut_crops, plan_crops
from nfl_keras.export.exif import orientation
from nfl_keras.export.formats import format_of, read_parts
from nfl_keras.servable.status import (
    DAMAGED,
    EMPTY,
    NOT_AN_IMAGE,
    OK,
    TOO_COSTLY,
    TOO_LARGE,
    UNSUPPORTED,
)

_REFUSALS = {RARE: UNSUPPORTED, UNKNOWN: NOT_AN_IMAGE}


class Headers(NamedTuple):
    """What the headers of a request's images say.

    Args:
        status: int32 `[N]`, `OK` where the image may be decoded.
        way: int32 `[N]`, for `decode_by`.
        orientation: int32 `[N]`, of EXIF, 1 to 8.
        extent: int64 `[N, 2]`, height and width as `decode_by` gives them.
    """

    status: tf.Tensor
    way: tf.Tensor
    orientation: tf.Tensor
    extent: tf.Tensor


def read_headers(images: tf.Tensor, image_size: int, max_pixels: int) -> Headers:
    """Reads the headers of a request's images, string `[N]`. No image raises an error."""
    read = functools.partial(_read_header, image_size=image_size, max_pixels=max_pixels)
    return tf.map_fn(
        read, images, fn_output_signature=Headers(tf.int32, tf.int32, tf.int32, tf.int64)
    )


def _read_header(encoded, image_size, max_pixels):
    image_format = format_of(encoded)
    size, exif, memory = read_parts(encoded, image_format)
    shorter, longer = tf.reduce_min(size), tf.reduce_max(size)
    # As floats, since the product of two 32-bit numbers may exceed int64.
    pixels = tf.cast(shorter, tf.float64) * tf.cast(longer, tf.float64)
    too_large = (pixels > tf.cast(max_pixels, tf.float64)) | (longer > MAX_SIDE)
    status = tf.where(memory > MAX_MEMORY, TOO_COSTLY, OK)
    status = tf.where(shorter < 1, DAMAGED, tf.where(too_large, TOO_LARGE, status))
    refusals = tf.constant([_REFUSALS.get(known, OK) for known in range(UNKNOWN + 1)])
    status = tf.where(refusals[image_format] == OK, status, refusals[image_format])
    # With fewer pixels, a reduced JPEG might have to be enlarged again.
    jpeg = jpeg_way(shorter, -(-16 * image_size // 15))
    other = tf.where(image_format == WEBP_FORMAT, WEBP, WHOLE)
    way = tf.where(image_format == JPEG, jpeg, other)
    ratio = tf.gather(tf.constant([*RATIOS, 1, 1], tf.int64), way)
    return Headers(
        status=tf.where(tf.strings.length(encoded) > 0, status, EMPTY),
        way=way,
        orientation=tf.cond(tf.strings.length(exif) > 0, lambda: orientation(exif), lambda: 1),
        extent=-(-size // ratio),
    )


def decode_crops(
    images: tf.Tensor, headers: Headers, image_size: int, crops: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes the images that can be decoded, string `[N]`, given the result of `read_headers`.

    TensorFlow's decoder raises an error for a damaged image, which would fail every request of a
    batch that TensorFlow Serving merges. So a pipeline that drops errors decodes the images.
    TensorFlow rebuilds it at each request, so it holds little and is not optimized: where the
    crops are cut is worked out before.

    Returns:
        `(status, rows, pixels)`: int32 `[N]`; int32 `[M]`, the places of the images that are `OK`;
        float32 `[M, crops, image_size, image_size, 3]` in 0..255. If no image is `OK`, M is 1:
        crops of zeros at place N, which no image has.
    """
    status = headers.status
    count, rows = tf.size(status), tf.where(status == OK)[:, 0]
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    good = tf.nest.map_structure(lambda of_all: tf.gather(of_all, rows), headers)

    plans = tf.map_fn(
        lambda header: plan_crops(header.extent, image_size, crops, header.orientation),
        good,
        fn_output_signature=CropPlan.signature(crops),
    )

    def crops_of(row, encoded, way, extent, plan):
        image = decode_by(encoded, way)
        # Raises an error if the header has told another extent than the decoder.
        image = tf.reshape(image, tf.concat([extent, [3]], 0))
        return row, cut_crops(image, plan, image_size)

    decoded = (
        tf.data.Dataset.from_tensor_slices(
            (tf.cast(rows, tf.int32), tf.gather(images, rows), good.way, good.extent, plans)
        )
        .map(crops_of, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(tf.maximum(tf.cast(count, tf.int64), 1))
        .with_options(options)
    )
    none = count[None], tf.zeros((1, crops, image_size, image_size, 3))
    rows, pixels = decoded.reduce(none, lambda _, batch: batch)
    is_decoded = tf.scatter_nd(rows[:, None], tf.ones_like(rows), (count + 1,))[:count] > 0
    return tf.where((status == OK) & ~is_decoded, DAMAGED, status), rows, pixels
