"""Encoded images to the crops that are embedded, one bad image at a time, as a TensorFlow graph.

It is the way of `nfl.retrieval.embed`: the same decoding, the same resizing, the same crops. What
Pillow does there is done in the graph here, since no Python runs in TF Serving: telling formats
apart, reading sizes and EXIF. Of an animation the first frame is decoded, without the canvas that
it may lie on.
"""

import tensorflow as tf

from nfl_keras.data.decoding.decode import decode_by, upright
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.servable.status import DAMAGED, OK


def decode_crops(headers, image_size, crops):
    """The crops of each image that can be decoded, and what is wrong with the others.

    Headers are read without an error. Only decoding, which knows no other answer to a damaged
    image, is done in a pipeline that drops what fails. (Under TF Serving's batching an error would
    be that of every request in the batch.) TensorFlow builds the function of a pipeline anew at
    each request, so there is no more in it than must be.

    Args:
        headers: as `nfl_keras.export.headers.read_headers` gives them, of N images.
        image_size: int S, side of the crops.
        crops: int C, 1 or 3, see `nfl_keras.data.views.inference_crops.inference_crops`.

    Returns:
        `(status, rows, pixels)`: int32 `[N]`, see `nfl_keras.servable.status`; int32 `[M]`, the
        places in the request of the images that are `OK`; their crops, float32 `[M, C, S, S, 3]`
        in 0..255. Where none is, M is 1: crops of zeros of a row N, which there is not.
    """
    status, *decodable = headers
    count = tf.size(status)
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


def _options():
    # A request is one short pass: what tunes a pipeline over time only costs it time.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options
