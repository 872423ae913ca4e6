"""The step under JAX."""

import keras


class JAXStep:
    """Keras' own step, with the objective in the place of its loss.

    Nothing is assigned: the variables come in and go out as lists of arrays.
    """

    def compute_loss_and_updates(
        self,
        trainable_variables,
        non_trainable_variables,
        metrics_variables,
        x,
        y,
        sample_weight,
        training=False,
        optimizer_variables=None,
    ):
        """What Keras differentiates.

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
            variables += zip(self.optimizer.variables, optimizer_variables, strict=True)
        with keras.StatelessScope(variables, collect_losses=True) as scope:
            outputs = self.outputs(x, y, training)
            loss, means = self.objective(outputs, sample_weight)
            self.track_terms(means, x.shape[0])
            scaled_loss = self.optimizer.scale_loss(loss) if training else loss
        updated = (
            [scope.get_current_value(variable) for variable in of_kind]
            for of_kind in (self.non_trainable_variables, self.metrics_variables)
        )
        return scaled_loss, (loss, outputs.clean, *updated)
