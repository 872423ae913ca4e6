"""One global batch on several replicas: each holds a share, and all see the whole."""

import dataclasses

import keras
import tensorflow as tf
from keras import ops

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

        Outside `tf.distribute.Strategy.run` that is the whole batch. Where b is not static, the
        replicas tell each other theirs, and a batch that leaves one of them without a row fails
        with `TOO_SMALL`.
        """
        context = tf.distribute.get_replica_context()
        replicas = 1 if context is None else context.num_replicas_in_sync
        size = ops.shape(rows)[0]
        if replicas == 1:
            return cls(1, 0, size, size)
        position = _position(context)
        if isinstance(size, int):
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


def in_global_batch(layer, rows, training):
    """What a random layer makes of a replica's rows within the global batch.

    The layer draws for the whole batch on every replica, and each keeps what falls on its own
    rows, so that the draws do not depend on the number of replicas. Backends other than
    TensorFlow have one, and the layer is called as it is.

    Args:
        layer: layer that draws for each row on its own, called as `layer(rows, training=True)`.
        rows: `[b, ...]`.
        training: bool. If false, the layer is called on the rows alone.

    Returns:
        `[b, ...]`.

    Example:

    >>> noisy = in_global_batch(nfl.layers.GaussianInputNoise(seed=0), images, training=True)
    """
    if not training or keras.config.backend() != "tensorflow":
        return layer(rows, training=training)
    share = Share.of(rows)
    if share.replicas == 1:
        return layer(rows, training=True)
    return share.take(layer(share.place(rows), training=True))


def average_batch_norm(model):
    """Gives each of several replicas the mean of all replicas' moving statistics.

    Keras leaves each replica with those of its own rows, and saves the first one's. Layers that
    are frozen or synchronized are left alone: theirs are equal.
    """
    context = tf.distribute.get_replica_context()
    statistics = [
        variable
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        if layer.trainable and not layer.synchronized
        for variable in layer.non_trainable_variables
    ]
    if statistics:
        values = [tf.convert_to_tensor(variable) for variable in statistics]
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, values)
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)


def gradients_for(optimizer, gradients):
    """What to give the optimizer on each of several replicas: it then updates as on one device.

    Keras' optimizers sum gradients over the replicas, but clip them and look for overflow
    before. Where they do either, the sum is made and clipped here, and each replica hands over
    an equal part of it, which their own clipping then leaves as it is.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gradients: list of a replica's gradients, `None` where a variable has none.

    Returns:
        List of gradients.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    clips = inner.clipnorm or inner.global_clipnorm or inner.clipvalue
    if inner is optimizer and not clips:
        return gradients
    scale = optimizer.scale_loss(1.0)
    present = [gradient for gradient in gradients if gradient is not None]
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
    unscaled = [None if gradient is None else next(summed) / scale for gradient in gradients]
    clipped = inner._clip_gradients(unscaled)
    if inner is not optimizer:
        # An overflow that is clipped to a number would not be seen as one.
        pairs = zip(clipped, unscaled, strict=True)
        clipped = [None if g is None else ops.where(ops.isfinite(g), c, g) for c, g in pairs]
    return [None if gradient is None else gradient * scale / replicas for gradient in clipped]


def _position(context):
    """Which part of the global batch a replica was given.

    Of the parts of a batch, the dataset of worker w keeps every W-th from the w-th on; without
    workers this is the replica's own number.
    """
    of_worker = len(context.strategy.extended.worker_devices)
    workers = context.num_replicas_in_sync // of_worker
    replica = context.replica_id_in_sync_group
    return replica % of_worker * workers + replica // of_worker
