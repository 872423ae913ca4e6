"""Keras' own `fit` under `tf.distribute`, on several machines, too."""

import keras
from keras import ops

from nfl_keras.distribution.share import TOO_SMALL
from nfl_keras.errors import UserError

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


class DistributedFit:
    """Mixin with which `fit` and `evaluate` of a Keras model run on several machines.

    Keras 3.15 itself stops under `MultiWorkerMirroredStrategy`: it takes a batch from the dataset
    to build the model by, which it cannot reduce, and reduces logs that are scalars over an axis
    (keras-team/keras #20585). With this mixin the model is built from the dataset's signature,
    in the strategy's scope, and no batch is taken.

    Every worker runs the same program, its place in `TF_CONFIG`, and must read the same batches:
    shuffle with a seed (`keras.utils.set_random_seed` gives Keras' arrays one). `Learner` and its
    recipes have the mixin already. The loss of any other model is that of each replica's part
    of a batch, as Keras has it.

    Raises:
        UserError: from `fit` and `evaluate`, if model, optimizer or metrics were made outside of
            the strategy's scope, or a batch has fewer images than there are replicas; from
            `train_on_batch` and `test_on_batch`, if there are several replicas.

    Example:

    >>> class Classifier(nfl.distribution.DistributedFit, keras.Sequential):
    ...     pass
    >>> keras.utils.set_random_seed(0)
    >>> strategy = tf.distribute.MultiWorkerMirroredStrategy()
    >>> with strategy.scope():
    ...     model = Classifier(layers)
    ...     model.compile("adamw", loss="sparse_categorical_crossentropy")
    >>> model.fit(dataset, epochs=10)
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        strategy = self.distribute_strategy
        if self._distribute_strategy is None and not tf.distribute.has_strategy():
            return
        if data_batch is not None and strategy.num_replicas_in_sync > 1:
            raise UserError(
                f"train_on_batch and test_on_batch give the whole batch to each of "
                f"{strategy.num_replicas_in_sync} replicas; use fit or evaluate with a dataset."
            )
        variables = [*self.variables, *self.metrics_variables, *self.optimizer.variables]
        if not all(strategy.extended.variable_created_in_scope(v.value) for v in variables):
            raise UserError(
                f"the model, its optimizer or its metrics were made outside of the scope of the "
                f"{type(strategy).__name__} that fit runs under; make the model and compile it "
                f"within `with strategy.scope():`."
            )
        if iterator is not None:
            data_batch = keras.tree.map_structure(
                lambda spec: getattr(spec, "_value_specs", [spec])[0],
                iterator._distributed_dataset.element_spec,
            )
        with strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    def _make_function(self, step_function, **options):
        if keras.config.backend() != "tensorflow":
            return super()._make_function(step_function, **options)
        reduced_over_axis = _has_workers(self.distribute_strategy)

        def step(data):
            logs = step_function(data)
            if reduced_over_axis:
                logs = keras.tree.map_structure(lambda value: ops.expand_dims(value, 0), logs)
            return logs

        function = super()._make_function(step, **options)

        def in_one_line(iterator):
            try:
                return function(iterator)
            except tf.errors.InvalidArgumentError as error:
                if TOO_SMALL in str(error):
                    raise UserError(TOO_SMALL) from error
                raise

        return in_one_line


def _has_workers(strategy):
    resolver = strategy.cluster_resolver
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and resolver is not None
        and bool(resolver.cluster_spec().as_dict())
    )
