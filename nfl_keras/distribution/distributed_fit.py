"""Defines the mixin that makes Keras' `fit` run under `tf.distribute` on several machines."""

from typing import Any

import keras
from keras import ops

from nfl_keras.distribution.batch_share import TOO_SMALL
from nfl_keras.errors import UserError
from nfl_keras.typing import ModelMixin

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


class DistributedFit(ModelMixin):
    """A mixin with which `fit` and `evaluate` of a Keras model run on several machines.

    Under `MultiWorkerMirroredStrategy`, `fit` of Keras 3.15 fails twice: it cannot build a model
    from a distributed batch, and it cannot reduce scalar logs over the machines
    (keras-team/keras #20585). This mixin builds the model from the dataset's signature, in the
    strategy's scope, and gives the logs an axis.

    Every worker runs the same program and finds its place in `TF_CONFIG`. All workers must read
    the same batches: shuffle with a seed (`keras.utils.set_random_seed` seeds the shuffling of
    arrays). `Learner` and its recipes have the mixin already. The loss of any other model is
    computed on each replica's part of a batch, as always in Keras.

    Raises:
        UserError: from `fit` and `evaluate`, if model, optimizer or metrics were made outside
            the strategy's scope, or a batch has fewer images than there are replicas; from
            `train_on_batch` and `test_on_batch`, if there are several replicas.

    Example (on several machines, use `tf.distribute.MultiWorkerMirroredStrategy()`):

    >>> class Classifier(nfl.distribution.DistributedFit, keras.Sequential):
    ...     pass
    >>> strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    >>> with strategy.scope():
    ...     model = Classifier([keras.layers.Dense(3)])
    ...     model.compile("adamw", loss="mse")
    >>> history = model.fit(np.ones((4, 2)), np.ones((4, 3)), epochs=2, verbose=0)
    >>> len(history.history["loss"])
    2
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
        has_workers = _has_workers(self.distribute_strategy)

        def step(data: Any) -> Any:
            logs = step_function(data)
            if has_workers:
                logs = keras.tree.map_structure(lambda value: ops.expand_dims(value, 0), logs)
            return logs

        function = super()._make_function(step, **options)

        def function_with_short_error(iterator: Any) -> Any:
            try:
                return function(iterator)
            except tf.errors.InvalidArgumentError as error:
                if TOO_SMALL in str(error):
                    raise UserError(TOO_SMALL) from error
                raise

        return function_with_short_error


def _has_workers(strategy):
    resolver = strategy.cluster_resolver
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and resolver is not None
        and bool(resolver.cluster_spec().as_dict())
    )
