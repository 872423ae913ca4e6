"""The training step under JAX."""

from typing import Any

import keras

from nfl_keras.typing import Tensor


class JAXStep(keras.Model):
    """A Keras model whose loss is the objective.

    The step assigns to no variable: it takes lists of arrays and returns lists of arrays.
    """

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
