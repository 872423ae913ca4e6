"""The training step under JAX."""

from collections.abc import Callable
from typing import Any

import keras

from nfl_keras.typing import Tensor


class JAXStep(keras.Model):
    """A Keras model whose loss is the objective.

    The step assigns to no variable: it takes lists of arrays and returns lists of arrays. Keras
    takes the values from the variables before it, and leaves them without where the step fails.
    Here the variables keep their values then.
    """

    train_function: Any
    test_function: Any

    def make_train_function(self, force: bool = False) -> None:
        before = self.train_function
        super().make_train_function(force)
        if self.train_function is not before:
            self.train_function = self._restoring(self.train_function, True)

    def make_test_function(self, force: bool = False) -> None:
        before = self.test_function
        super().make_test_function(force)
        if self.test_function is not before:
            self.test_function = self._restoring(self.test_function, False)

    def _restoring(self, function: Callable, trains: bool) -> Callable:
        def restoring(state: tuple[list[Tensor], ...], data: Any) -> Any:
            try:
                return function(state, data)
            except Exception:
                kinds = [self.trainable_variables, self.non_trainable_variables]
                kinds += [self.optimizer.variables] if trains else []
                for variables, values in zip((*kinds, self.metrics_variables), state, strict=True):
                    for variable, value in zip(variables, values, strict=True):
                        variable.assign(value)
                raise

        return restoring

    def compute_loss_and_updates(
        self,
        trainable_variables: list[Tensor],
        non_trainable_variables: list[Tensor],
        metrics_variables: list[Tensor],
        x: Tensor,
        y: Tensor,
        sample_weight: Tensor | None,
        training: bool = False,
        optimizer_variables: list[Tensor] | None = None,
    ) -> tuple[Tensor, Any]:
        """Computes the loss that Keras differentiates.

        Returns:
            `(loss to differentiate, (loss, embeddings, non-trainable variables, metrics'
            variables))`. Keras adds the last loss and the metrics of `compile` to the metrics.
        """
        variables = [
            *zip(self.trainable_variables, trainable_variables, strict=True),
            *zip(self.non_trainable_variables, non_trainable_variables, strict=True),
            *zip(self.metrics_variables, metrics_variables, strict=True),
        ]
        if training:
            variables += zip(self.optimizer.variables, optimizer_variables or [], strict=True)
        with keras.StatelessScope(variables, collect_losses=True) as scope:
            outputs = self.outputs(x, y, training)
            loss, means = self.objective(outputs, sample_weight)
            self.track_terms(outputs.labels, means, x.shape[0])
            scaled_loss = self.optimizer.scale_loss(loss) if training else loss
        updated = (
            [scope.get_current_value(variable) for variable in of_kind]
            for of_kind in (self.non_trainable_variables, self.metrics_variables)
        )
        return scaled_loss, (loss, outputs.clean, *updated)
