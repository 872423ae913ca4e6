"""Whether an exported model gives what the Keras model gives."""

import numpy as np
import tensorflow as tf

from nfl_keras.data import inference_batches
from nfl_keras.errors import UserError
from nfl_keras.export.samples import as_image_set
from nfl_keras.retrieval import embed
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR
from nfl_keras.servable.status import MESSAGES, OK

TOLERANCE = 1e-4


def largest_difference(loaded, embedder, image_size, photographs):
    """How far the embeddings of a loaded SavedModel are from those of the Keras model.

    Each signature is held against `nfl.retrieval.embed`, which decodes and crops on its own way.

    Args:
        loaded: what `tf.saved_model.load` gave.
        embedder: `keras.Model`, the one that was exported.
        image_size: int, side of the crops.
        photographs: list of bytes, encoded images.

    Returns:
        float, the largest absolute difference of any number; not finite if one of them is not.

    Raises:
        UserError: if the exported model cannot embed a photograph.
    """
    image_set = as_image_set(photographs)
    differences = []
    for name, crops in CROPS.items():
        answer = loaded.signatures[name](images=tf.constant(photographs))
        _check_all_embedded(answer["status"].numpy())
        expected = embed(embedder, image_set, crops, image_size=image_size)
        differences.append(answer["embedding"].numpy() - expected)
    squares = center_crops(photographs, image_size)
    answer = loaded.signatures[EMBED_TENSOR](pixels=tf.constant(squares))
    differences.append(answer["embedding"].numpy() - expected)
    return float(np.abs(np.concatenate(differences)).max())


def center_crops(photographs, image_size):
    """float32 `[N, S, S, 3]`, the pixels of the central squares."""
    (batch,) = inference_batches(as_image_set(photographs), image_size, 1, len(photographs))
    return batch.numpy()[:, 0]


def check_difference(difference, count):
    """Refuses an exported model that is further than 1e-4 from the Keras model.

    Raises:
        UserError: saying how far it is.
    """
    if not difference <= TOLERANCE:
        raise UserError(
            f"the exported model gives other embeddings than the Keras model: on {count} "
            f"photographs they differ by up to {difference:.1e}, more than {TOLERANCE:.0e}; it is "
            f"not kept. Export a model whose weights are finite, and whose precision is float32."
        )


def _check_all_embedded(statuses):
    for number, status in enumerate(statuses):
        if status != OK:
            raise UserError(
                f"the exported model cannot embed sample photograph {number}: {MESSAGES[status]}; "
                f"it is not kept. Give other photographs to compare on."
            )
