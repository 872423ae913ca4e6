"""From encoded images to the crops that are embedded, in a TensorFlow graph.

Decoding, resizing and crops are those of `nfl.retrieval.embed`. What Pillow does there, telling
formats apart and reading sizes and EXIF, is done in the graph, since TensorFlow Serving runs no
Python.
"""

import tensorflow as tf

from nfl_keras.data.decoding.decode import decode_by, upright
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.servable.status import DAMAGED, OK


def decode_crops(
    images: tf.Tensor, headers: tuple[tf.Tensor, tf.Tensor, tf.Tensor], image_size: int, crops: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes the images that can be decoded, string `[N]`, given the result of `read_headers`.

    TensorFlow's decoder raises an error for a damaged image, which would fail every request of a
    batch that TensorFlow Serving merges. So images are decoded in a pipeline that drops errors.
    TensorFlow rebuilds the pipeline at each request, so it holds little and is not optimized.

    Returns:
        `(status, rows, pixels)`: int32 `[N]`; int32 `[M]`, the places of the images that are `OK`;
        float32 `[M, crops, image_size, image_size, 3]` in 0..255. If no image is `OK`, M is 1:
        crops of zeros at place N, which no image has.
    """
    status, *how = headers
    count = tf.size(status)
    rows = tf.where(status == OK)[:, 0]
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False

    def crops_of(row, encoded, way, turn):
        image = upright(decode_by(encoded, way), turn)
        return tf.cast(row, tf.int32), inference_crops(image, image_size, crops)

    decoded = (
        tf.data.Dataset.from_tensor_slices((rows, *(tf.gather(p, rows) for p in (images, *how))))
        .map(crops_of, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(tf.maximum(tf.cast(count, tf.int64), 1))
        .with_options(options)
    )
    none = count[None], tf.zeros((1, crops, image_size, image_size, 3))
    rows, pixels = decoded.reduce(none, lambda _, batch: batch)
    is_decoded = tf.scatter_nd(rows[:, None], tf.ones_like(rows), (count + 1,))[:count] > 0
    return tf.where((status == OK) & ~is_decoded, DAMAGED, status), rows, pixels
