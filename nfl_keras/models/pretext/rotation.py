"""The pretext task of telling by how many quarter turns an image was turned."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.task import ClassificationTask


@keras.saving.register_keras_serializable(package="nfl_keras")
class Rotation(ClassificationTask):
    """Each image is turned by 0, 90, 180 or 270 degrees, and z must tell by which.

    The turn is drawn for each image, each equally likely, counterclockwise. Images must be
    square.

    Args:
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: from `render`, if the images are not square.

    Example:

    >>> model = nfl.models.NoiseAssistedModel(embedder, pretext="rotation")

    Reference: [NAFL] section 5.3; Gidaris, Singh & Komodakis, Unsupervised representation
    learning by predicting image rotations, ICLR 2018.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(4, seed, **kwargs)

    def render(self, images, draws):
        """Images `[B, S, S, C]`, each turned by `draws` (int `[B]`, in 0..3) quarter turns."""
        height, width = images.shape[1:3]
        if height != width:
            raise UserError(
                f"the pretext task 'rotation' turns square images, not such of {height} x {width} "
                f"pixels; crop them, or choose another task."
            )
        turns = draws[:, None, None, None]
        quarter = ops.flip(ops.transpose(images, (0, 2, 1, 3)), axis=1)
        images = ops.where(turns % 2 == 1, quarter, images)
        half = ops.flip(ops.flip(images, axis=1), axis=2)
        return ops.where(turns >= 2, half, images)

    def get_config(self):
        config = super().get_config()
        del config["num_classes"]
        return config
