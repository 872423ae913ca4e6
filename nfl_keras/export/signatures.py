"""The signatures of an exported model."""

import keras
import tensorflow as tf

from nfl_keras.export.decode_crops import decode_crops, read_headers
from nfl_keras.export.folding import folded
from nfl_keras.export.without_xla import refuse_xla, without_xla
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR
from nfl_keras.servable.status import NO_DIRECTION, OK


def make_service(
    embedder: keras.Model, image_size: int, max_pixels: int
) -> tuple[tf.Module, dict[str, tf.types.experimental.ConcreteFunction]]:
    """Makes what is saved: the weights, and the signatures over them.

    - `serving_default`: `images` string `[N]`, encoded, to `embedding` float32 `[N, D]` and
      `status` int32 `[N]`, see `nfl_keras.servable.status`. It averages three crops, see
      `nfl.retrieval.embed`. The row of an image that cannot be embedded, or
      whose embedding has no direction, is zeros.
    - `embed_center`: the same of the center alone.
    - `embed_tensor`: `pixels` float32 `[N, S, S, 3]` in 0..255 to `embedding`, zeros if it
      has no direction.

    The embedder maps `[B, S, S, 3]` in 0..255 to `[B, D]`, and S is `image_size`. The results are
    arguments of `tf.saved_model.save`.

    Raises:
        UserError: if the embedder holds a function that only XLA can run.
    """
    images = tf.TensorSpec((None,), tf.string, name="images")
    squares = tf.TensorSpec((None, image_size, image_size, 3), tf.float32, name="pixels")

    @tf.function(input_signature=[images], autograph=False)
    def headers_of(images):
        return read_headers(images, image_size, max_pixels)

    def embed_crops(pixels):
        crops = pixels.shape[1]
        flat = tf.reshape(pixels, (-1, image_size, image_size, 3))
        vectors = tf.cast(embedder(flat, training=False), tf.float32)
        mean = tf.reduce_mean(tf.reshape(vectors, (-1, crops, vectors.shape[-1])), axis=1)
        norm = tf.norm(mean, axis=1, keepdims=True)
        has_direction = tf.math.is_finite(norm) & (norm > 0)
        return tf.where(has_direction, mean / norm, 0.0), has_direction[:, 0]

    def embed_images(crops):
        def embed(images):
            status, rows, pixels = decode_crops(images, headers_of(images), image_size, crops)
            (vectors, has_direction), count = embed_crops(pixels), tf.size(images)
            table = tf.scatter_nd(rows[:, None], vectors, (count + 1, vectors.shape[-1]))
            lacking = tf.where(has_direction, OK, NO_DIRECTION)
            lacking = tf.scatter_nd(rows[:, None], lacking, (count + 1,))
            return {"embedding": table[:count], "status": tf.maximum(status, lacking[:count])}

        return embed

    def embed_tensor(pixels):
        return {"embedding": embed_crops(pixels[:, None])[0]}

    def concrete(function, spec):
        return tf.function(function, (spec,), autograph=False).get_concrete_function()

    service = tf.Module(name="embedder")
    with without_xla(embedder), folded(embedder) as service.weights:
        signatures = {name: concrete(embed_images(crops), images) for name, crops in CROPS.items()}
        signatures[EMBED_TENSOR] = concrete(embed_tensor, squares)
    refuse_xla(signatures)
    return service, signatures
