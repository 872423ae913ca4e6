"""Every photograph of a set through a network at rest, crop by crop."""

from keras import ops

from nfl_keras.data.batches import inference_batches
from nfl_keras.errors import UserError


def forward(network, image_set, image_size, crops, batch_size):
    """Yield what a network makes of one batch of photographs after another.

    Args:
        network: `keras.Model` from `[B, S, S, 3]` in 0..255 to `[B, C]`.
        image_set: `nfl.data.ImageSet`.
        image_size: int S. The shorter side is brought to it, and the crops are of this side.
        crops: 3, the center and the two ends of the longer side; or 1, the center alone.
        batch_size: int, photographs at a time.

    Yields:
        NumPy array `[<= batch_size, crops, C]`, in the set's order.

    Raises:
        UserError: if the set is empty, or for another number of crops.
    """
    if not len(image_set):
        raise UserError("there are no photographs to embed or to classify: the image set is empty.")
    call = _at_rest(network)
    for batch in inference_batches(image_set, image_size, crops, batch_size):
        flat = ops.reshape(batch, (-1, image_size, image_size, batch.shape[-1]))
        of_crops = ops.convert_to_numpy(call(flat))
        yield of_crops.reshape(-1, crops, of_crops.shape[-1])


def _at_rest(network):
    """The network as a function that takes a batch once, whatever it is trained on."""
    strategy = getattr(network, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return network.predict_on_batch
    # Keras would have each replica predict the whole batch, and give its rows as often.
    import tensorflow as tf

    return tf.function(lambda images: network(images, training=False), reduce_retracing=True)
