"""The training step under TensorFlow, on one device or on each replica of a strategy."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from nfl_keras.distribution.average_batch_norm import average_batch_norm
from nfl_keras.distribution.batch_share import BatchShare
from nfl_keras.distribution.distributed_fit import DistributedFit
from nfl_keras.distribution.global_gradients import global_gradients
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.steps.fused_batch_norm import fused_batch_norm
from nfl_keras.typing import Tensor


class TensorFlowStep(DistributedFit, keras.Model):
    """A Keras model whose replicas embed a share of a batch each and learn from the whole batch."""

    def make_train_function(self, force: bool = False) -> Any:
        # TensorFlow traces a step twice if the step makes the optimizer's variables.
        layers = self._flatten_layers(include_self=False)
        made = all(layer.built or type(layer).build is keras.Layer.build for layer in layers)
        if made and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def train_step(self, data: Any) -> dict[str, Tensor]:
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        share = BatchShare.of(keras.tree.flatten(images)[0])
        with fused_batch_norm(self):
            with tf.GradientTape() as tape:
                outputs, sample_weight = self._global(images, labels, sample_weight, share, True)
                loss, means = self.objective(outputs, sample_weight)
                # Every replica computes the whole objective, and the optimizer sums over replicas.
                scaled_loss = self.optimizer.scale_loss(share.fraction * loss)
            gradients = tape.gradient(scaled_loss, self.trainable_weights)
        if share.replicas > 1:
            gradients = global_gradients(self.optimizer, gradients)
            average_batch_norm(self)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self.track(outputs, loss, means, sample_weight, share.size)

    def test_step(self, data: Any) -> dict[str, Tensor]:
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        share = BatchShare.of(keras.tree.flatten(images)[0])
        outputs, sample_weight = self._global(images, labels, sample_weight, share, False)
        loss, means = self.objective(outputs, sample_weight)
        return self.track(outputs, loss, means, sample_weight, share.size)

    def _global(
        self,
        images: Tensor,
        labels: Tensor,
        sample_weight: Tensor | None,
        share: BatchShare,
        training: bool,
    ) -> tuple[Outputs, Tensor | None]:
        images = keras.tree.map_structure(share.checked, images)
        outputs = _gathered(self.outputs(images, labels, training), share)
        if sample_weight is not None:
            [sample_weight] = share.gather([ops.cast(sample_weight, "float32")])
        return outputs, sample_weight


def _gathered(outputs: Outputs, share: BatchShare) -> Outputs:
    """Gathers the outputs of all replicas. The penalty stays the replica's own."""
    kinds = (outputs.embeddings, outputs.features, outputs.projected)
    rows = iter(share.gather([rows for views in kinds for rows in views.values()]))
    embeddings, features, projected = ({name: next(rows) for name in views} for views in kinds)
    return dataclasses.replace(
        outputs,
        embeddings=embeddings,
        features=features,
        projected=projected,
        labels=share.gather([outputs.labels])[0],
        draws={name: share.gather([drawn])[0] for name, drawn in outputs.draws.items()},
    )
