"""The functions that an exported model answers by."""

import tensorflow as tf

from nfl_keras.export.folding import folded
from nfl_keras.export.headers import read_headers
from nfl_keras.export.image_graph import decode_crops
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR


def make_service(embedder, image_size, max_pixels):
    """What is saved: the weights, and the signatures over them.

    - `serving_default`: `images` string `[N]`, encoded; gives `embedding` float32 `[N, D]` and
      `status` int32 `[N]`, see `nfl_keras.servable.status`. Embedded are three crops, see
      `nfl.retrieval.embed`. The row of an image that cannot be embedded is zeros.
    - `embed_center`: the same of the center alone.
    - `embed_tensor`: `pixels` float32 `[N, S, S, 3]` in 0..255; gives `embedding`.

    Args:
        embedder: `keras.Model` from `[B, S, S, 3]` in 0..255 to `[B, D]`, run as at rest.
        image_size: int S.
        max_pixels: int. An image that declares more is not decoded.

    Returns:
        `(service, signatures)` for `tf.saved_model.save`.
    """
    images = tf.TensorSpec((None,), tf.string, name="images")

    @tf.function(input_signature=[images], autograph=False)
    def headers_of(images):
        return read_headers(images, image_size, max_pixels)

    def embed_crops(pixels):
        crops = pixels.shape[1]
        flat = tf.reshape(pixels, (-1, image_size, image_size, 3))
        vectors = tf.cast(embedder(flat, training=False), tf.float32)
        return _unit(tf.reduce_mean(tf.reshape(vectors, (-1, crops, vectors.shape[-1])), axis=1))

    def embed_encoded(crops):
        def embed(images):
            status, rows, pixels = decode_crops(headers_of(images), image_size, crops)
            vectors = embed_crops(pixels)
            count = tf.size(images)
            table = tf.scatter_nd(rows[:, None], vectors, (count + 1, vectors.shape[-1]))
            return {"embedding": table[:count], "status": status}

        return embed, images

    def embed_squares(pixels):
        return {"embedding": embed_crops(pixels[:, None])}

    squares = tf.TensorSpec((None, image_size, image_size, 3), tf.float32, name="pixels")
    functions = {
        **{name: embed_encoded(crops) for name, crops in CROPS.items()},
        EMBED_TENSOR: (embed_squares, squares),
    }
    service = tf.Module(name="embedder")
    with folded(embedder) as service.weights:
        signatures = {
            name: tf.function(function, (spec,), autograph=False).get_concrete_function()
            for name, (function, spec) in functions.items()
        }
    return service, signatures


def _unit(vectors):
    return tf.math.divide_no_nan(vectors, tf.norm(vectors, axis=1, keepdims=True))
