"""Defines the order of the images within each class of a batch."""

import dataclasses
from typing import Self

from keras import ops

from nfl_keras.losses.class_sizes import class_sizes
from nfl_keras.typing import Tensor


@dataclasses.dataclass(frozen=True)
class ClassMates:
    """The images of each class, numbered from 0 in the order of the batch, as rings.

    Args:
        number: int32 `[B]`, the number of each image within its class.
        sizes: int32 `[B]`, how many images its class has.
        first: int32 `[B]`, the place of its class in `in_order`.
        in_order: int32 `[B]`, the positions of the batch's images, class after class.

    Example:

    >>> from nfl_keras.losses.pairs.class_mates import ClassMates
    >>> mates = ClassMates.of(np.array([5, 7, 5, 5]))
    >>> mates.number.numpy(), mates.at(1).numpy()
    (array([0, 0, 1, 2], dtype=int32), array([2, 1, 3, 0], dtype=int32))
    """

    number: Tensor
    sizes: Tensor
    first: Tensor
    in_order: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> Self:
        """Numbers the images of a batch by its labels, integer `[B]`."""
        first, sizes = class_sizes(labels)
        in_order = ops.cast(ops.argsort(first), "int32")
        number = ops.cast(ops.argsort(in_order), "int32") - first
        return cls(number, sizes, first, in_order)

    def at(self, offset: int | Tensor) -> Tensor:
        """Finds the image that is `offset` places further in each image's class.

        After the last image of a class comes its first.

        Args:
            offset: int or int32 scalar.

        Returns:
            int32 `[B]`, positions in the batch.
        """
        return ops.take(self.in_order, self.first + ops.mod(self.number + offset, self.sizes))
