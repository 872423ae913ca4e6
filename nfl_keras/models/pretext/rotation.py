"""The pretext task of telling by how many quarter turns an image is rotated."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.classification_task import ClassificationTask
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class Rotation(ClassificationTask):
    """A task that rotates each image by 0, 90, 180 or 270 degrees and asks z for the angle.

    Each angle, counterclockwise, is equally likely for each image. Images must be square.

    Args:
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: from `render`, if the images are not square.

    Example:

    >>> task = nfl.models.pretext.Rotation(seed=0)
    >>> image = np.array([[1, 2], [3, 4]], "float32").reshape(1, 2, 2, 1)
    >>> task.render(image, np.array([1])).numpy()[0, :, :, 0].tolist()
    [[2.0, 4.0], [1.0, 3.0]]

    Reference: [NAFL] section 5.3; Gidaris, Singh & Komodakis, Unsupervised representation
    learning by predicting image rotations, ICLR 2018.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(4, seed, **kwargs)

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        """Rotates images `[B, S, S, C]` by `draws` (int `[B]`, in 0..3) quarter turns each."""
        height, width = images.shape[1:3]
        if height != width:
            raise UserError(
                f"the pretext task 'rotation' needs square images, but these have {height} x "
                f"{width} pixels; crop them, or choose another task."
            )
        turns = draws[:, None, None, None]
        quarter = ops.flip(ops.transpose(images, (0, 2, 1, 3)), axis=1)
        images = ops.where(turns % 2 == 1, quarter, images)
        half = ops.flip(ops.flip(images, axis=1), axis=2)
        return ops.where(turns >= 2, half, images)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["num_classes"]
        return config
