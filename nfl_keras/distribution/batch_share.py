"""Defines the share of a global batch that one replica holds."""

import dataclasses
from collections.abc import Sequence

import keras
from keras import ops

from nfl_keras.distribution.all_reduce import all_reduce
from nfl_keras.typing import Tensor

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

TOO_SMALL = (
    "a batch holds fewer images than there are replicas, and each replica needs one; drop the "
    "last, smaller batch with dataset.batch(size, drop_remainder=True), or use fewer devices."
)


@dataclasses.dataclass(frozen=True)
class BatchShare:
    """The rows of a global batch that one replica holds.

    Replicas may hold different numbers of rows, but each holds at least one. Sizes are ints
    where the shapes are static, and int32 scalars elsewhere.

    Args:
        replicas: int R, number of replicas.
        first: int, position of the replica's first row in the global batch.
        size: int b, number of the replica's rows.
        total: int B, number of rows in the global batch.
    """

    replicas: int
    first: int | Tensor
    size: int | Tensor
    total: int | Tensor

    @classmethod
    def of(cls, rows: Tensor) -> "BatchShare":
        """Returns the share of the replica that holds `rows`.

        The share is the whole batch outside `tf.distribute.Strategy.run` and under every backend
        but TensorFlow. Replicas whose number of rows is not static exchange their numbers. If
        one of them has no row, the step fails with `TOO_SMALL`.

        Args:
            rows: `[b, ...]`.
        """
        size = ops.shape(rows)[0]
        context = _replica_context()
        replicas = 1 if context is None else context.num_replicas_in_sync
        if context is None or replicas == 1:
            return cls(1, 0, size, size)
        position = _position(context)
        if isinstance(size, int) and not tf.executing_eagerly():
            return cls(replicas, position * size, size, replicas * size)
        sizes = size * tf.one_hot(position, replicas, dtype=tf.int32)
        [sizes] = all_reduce("SUM", [sizes])
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(sizes > 0), [TOO_SMALL])]):
            sizes = tf.identity(sizes)
        return cls(replicas, tf.reduce_sum(sizes[:position]), size, tf.reduce_sum(sizes))

    @property
    def fraction(self) -> float | Tensor:
        """The fraction b / B, a float or a float32 scalar. All replicas' fractions add up to 1."""
        if isinstance(self.total, int):
            return self.size / self.total
        return ops.cast(self.size, "float32") / ops.cast(self.total, "float32")

    def checked(self, rows: Tensor) -> Tensor:
        """Returns the rows unchanged, after the check that each replica holds a row."""
        if self.replicas == 1:
            return rows
        with tf.control_dependencies([tf.convert_to_tensor(self.total)]):
            return tf.identity(rows)

    def place(self, rows: Tensor) -> Tensor:
        """Returns `[B, ...]` with the rows `[b, ...]` in their place and zeros elsewhere."""
        after = self.total - self.first - self.size
        paddings = [[self.first, after]] + [[0, 0]] * (rows.shape.rank - 1)
        total = self.total if isinstance(self.total, int) else None
        return tf.ensure_shape(tf.pad(rows, paddings), (total, *rows.shape[1:]))

    def take(self, rows: Tensor) -> Tensor:
        """Returns the replica's rows `[b, ...]` out of the global batch `[B, ...]`."""
        size = self.size if isinstance(self.size, int) else None
        own = rows[self.first : self.first + self.size]
        return tf.ensure_shape(own, (size, *rows.shape[1:]))

    def gather(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the rows of all replicas, in the same order on each replica.

        The gradient of a row is the sum of its gradients on all replicas. (`all_gather` of
        TensorFlow has no gradient under `MultiWorkerMirroredStrategy`. Each replica therefore
        places its rows among zeros, and the replicas sum the results.)

        Args:
            tensors: sequence of `[b, ...]`, all floating or all integer.

        Returns:
            List of `[B, ...]` of the same dtypes.
        """
        if self.replicas == 1:
            return list(tensors)
        # In float16 the sum of the gradients would be rounded at each addition.
        wide = tf.float32 if tensors[0].dtype.is_floating else tf.int64
        placed = [self.place(tf.cast(tensor, wide)) for tensor in tensors]
        summed = all_reduce("SUM", placed)
        return [tf.cast(s, tensor.dtype) for s, tensor in zip(summed, tensors, strict=True)]


def _replica_context():
    if keras.config.backend() != "tensorflow":
        return None
    return tf.distribute.get_replica_context()


def _position(context):
    """Returns the position of a replica's part among the parts of the global batch.

    The dataset of worker w of W keeps every W-th part, from part w on. Without workers the
    position is the replica's own number.
    """
    of_worker = len(context.strategy.extended.worker_devices)
    workers = context.num_replicas_in_sync // of_worker
    replica = context.replica_id_in_sync_group
    return replica % of_worker * workers + replica // of_worker
