"""One global batch on several replicas: each holds a share, and all see the whole."""

import dataclasses

import keras
from keras import ops

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

TOO_SMALL = (
    "a batch holds fewer images than there are replicas, and each replica needs one; drop the "
    "last, smaller batch with dataset.batch(size, drop_remainder=True), or use fewer devices."
)


@dataclasses.dataclass(frozen=True)
class Share:
    """The rows of a global batch that one replica holds.

    Replicas need not hold equally many, but one at least. Sizes are ints where the shapes are
    static, int32 scalars where they are not.

    Args:
        replicas: int R.
        first: position in the global batch of the first of these rows.
        size: b, how many they are.
        total: B, the rows of the global batch.
    """

    replicas: int
    first: object
    size: object
    total: object

    @classmethod
    def of(cls, rows):
        """The share of this replica, which holds `rows` `[b, ...]`.

        Outside `tf.distribute.Strategy.run`, and under other backends than TensorFlow, that is
        the whole batch. Where b is not the same for all by its static shape, the replicas tell
        each other theirs, and a batch that leaves one of them without a row fails with
        `TOO_SMALL`.
        """
        context = None
        if keras.config.backend() == "tensorflow":
            context = tf.distribute.get_replica_context()
        replicas = 1 if context is None else context.num_replicas_in_sync
        size = ops.shape(rows)[0]
        if replicas == 1:
            return cls(1, 0, size, size)
        position = _position(context)
        if isinstance(size, int) and not tf.executing_eagerly():
            return cls(replicas, position * size, size, replicas * size)
        sizes = size * tf.one_hot(position, replicas, dtype=tf.int32)
        sizes = context.all_reduce(tf.distribute.ReduceOp.SUM, sizes)
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(sizes > 0), [TOO_SMALL])]):
            sizes = tf.identity(sizes)
        return cls(replicas, tf.reduce_sum(sizes[:position]), size, tf.reduce_sum(sizes))

    @property
    def fraction(self):
        """The part b / B, a float or a float32 scalar. They add up to 1 over the replicas."""
        if isinstance(self.total, int):
            return self.size / self.total
        return ops.cast(self.size, "float32") / ops.cast(self.total, "float32")

    def checked(self, rows):
        """The rows as they are, in a graph only once no replica is known to be without any."""
        if self.replicas == 1:
            return rows
        with tf.control_dependencies([tf.convert_to_tensor(self.total)]):
            return tf.identity(rows)

    def place(self, rows):
        """These rows `[b, ...]` in their place in the global batch `[B, ...]`, 0 elsewhere."""
        after = self.total - self.first - self.size
        paddings = [[self.first, after]] + [[0, 0]] * (rows.shape.rank - 1)
        total = self.total if isinstance(self.total, int) else None
        return tf.ensure_shape(tf.pad(rows, paddings), (total, *rows.shape[1:]))

    def take(self, rows):
        """This replica's `[b, ...]` of the rows `[B, ...]` of the global batch."""
        size = self.size if isinstance(self.size, int) else None
        own = rows[self.first : self.first + self.size]
        return tf.ensure_shape(own, (size, *rows.shape[1:]))

    def gather(self, tensors):
        """The rows of all replicas, in the same order on each, with gradients.

        A sum over the replicas of rows put in their place; a row's gradient is the sum of what
        each replica's objective has for it. `all_gather` has no such gradient under
        `MultiWorkerMirroredStrategy`.

        Args:
            tensors: sequence of `[b, ...]`, all floating or all integer.

        Returns:
            List of `[B, ...]`, of the same dtypes.
        """
        if self.replicas == 1:
            return list(tensors)
        # Halves are widened so that the sum of their gradients is not rounded at each addition.
        wide = tf.float32 if tensors[0].dtype.is_floating else tf.int64
        placed = [self.place(tf.cast(tensor, wide)) for tensor in tensors]
        context = tf.distribute.get_replica_context()
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, placed)
        return [tf.cast(s, tensor.dtype) for s, tensor in zip(summed, tensors, strict=True)]


def _position(context):
    """Which part of the global batch a replica was given.

    Of the parts of a batch, the dataset of worker w keeps every W-th from the w-th on; without
    workers this is the replica's own number.
    """
    of_worker = len(context.strategy.extended.worker_devices)
    workers = context.num_replicas_in_sync // of_worker
    replica = context.replica_id_in_sync_group
    return replica % of_worker * workers + replica // of_worker
