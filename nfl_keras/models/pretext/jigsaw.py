"""Defines `Jigsaw`, the pretext task that asks for the order of an image's tiles."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.classification_task import ClassificationTask
from nfl_keras.models.pretext.permutations import distant_permutations
from nfl_keras.typing import Tensor

_ACROSS = 3
_TILES = _ACROSS**2


@keras.saving.register_keras_serializable(package="nfl_keras")
class Jigsaw(ClassificationTask):
    """A pretext task that permutes the 3 x 3 tiles of each image, and asks z for the permutation.

    Each image draws a permutation from a fixed set, in which any two permutations differ in many
    places (6 of 9 or more for the default 100). The set is part of the configuration, so that a
    saved model keeps it.

    Tiles have H // 3 x W // 3 pixels. Where 3 does not divide a side, the last row or column of
    tiles is repeated up to the border, so that no pixel there tells where it came from.

    All tiles go through the network as one image, and the head sees its pooled features z, which
    retrieval uses and every backbone has. Pooling forgets the place of a feature, but not which
    tiles are neighbors, because convolutions see across their borders.

    Args:
        num_permutations: int, from 2 to 362,880. Defaults to `100`.
        permutations: sequence of permutations of the ints 0 .. 8. Place t, counted row by row,
            shows tile `permutations[class][t]`. Defaults to `num_permutations` permutations that
            are far from each other.
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: if there are too few or too many permutations, or one of them is not a
            permutation; from `render`, if a side of an image has fewer than 3 pixels.

    Example:

    >>> task = nfl.models.pretext.Jigsaw(num_permutations=30, seed=0)
    >>> model = nfl.models.NoiseAssistedModel(embedder, pretext=task)

    Reference: [NAFL] section 5.3; Noroozi & Favaro, Unsupervised learning of visual
    representations by solving jigsaw puzzles, ECCV 2016.
    """

    def __init__(
        self,
        num_permutations: int = 100,
        permutations: Sequence[Sequence[int]] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if permutations is None:
            if not 2 <= num_permutations <= 362_880:
                raise UserError(f"num_permutations must be 2 to 362,880, not {num_permutations}.")
            permutations = distant_permutations(num_permutations, _TILES)
        for order in permutations:
            if sorted(order) != list(range(_TILES)):
                raise UserError(f"a permutation holds each of 0 .. 8 once, which {order} does not.")
        super().__init__(len(permutations), seed, **kwargs)
        self.num_permutations = len(permutations)
        self.permutations = [list(order) for order in permutations]

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        """Permutes the tiles of images `[B, H, W, C]`, each by the permutation that it drew."""
        batch_size, height, width, channels = ops.shape(images)
        if any(side is not None and side < _ACROSS for side in images.shape[1:3]):
            raise UserError(f"an image of {height} x {width} pixels has no 3 x 3 tiles.")
        high, wide = height // _ACROSS, width // _ACROSS
        square = images[:, : _ACROSS * high, : _ACROSS * wide]
        tiles = ops.reshape(square, (batch_size, _ACROSS, high, _ACROSS, wide, channels))
        tiles = ops.transpose(tiles, (0, 1, 3, 2, 4, 5))
        tiles = ops.reshape(tiles, (batch_size * _TILES, high * wide * channels))
        orders = ops.take(np.array(self.permutations, "int32"), draws, axis=0)
        places = orders + _TILES * ops.arange(batch_size, dtype="int32")[:, None]
        tiles = ops.take(tiles, ops.reshape(places, (-1,)), axis=0)
        tiles = ops.reshape(tiles, (batch_size, _ACROSS, _ACROSS, high, wide, channels))
        puzzle = ops.transpose(tiles, (0, 1, 3, 2, 4, 5))
        puzzle = ops.reshape(puzzle, (batch_size, _ACROSS * high, _ACROSS * wide, channels))
        for axis, side in ((1, height), (2, width)):
            last = ops.shape(puzzle)[axis] - 1
            puzzle = ops.take(puzzle, ops.minimum(ops.arange(side), last), axis=axis)
        return puzzle

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "permutations": self.permutations}
        del config["num_classes"]
        return {**config, "num_permutations": self.num_permutations}
