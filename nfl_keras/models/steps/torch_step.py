"""The training step under PyTorch."""

from typing import Any

import keras
import torch

from nfl_keras.typing import Tensor


class TorchStep(keras.Model):
    """A Keras model whose step computes the objective from all views of a batch."""

    def train_step(self, data: Any) -> dict[str, Tensor]:
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self.zero_grad()
        outputs = self.outputs(images, labels, training=True)
        loss, means = self.objective(outputs, sample_weight)
        self.optimizer.scale_loss(loss).backward()
        weights = self.trainable_weights
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
            return self.track(outputs, loss, means, sample_weight, images.shape[0])

    def test_step(self, data: Any) -> dict[str, Tensor]:
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self.outputs(images, labels, training=False)
        loss, means = self.objective(outputs, sample_weight)
        return self.track(outputs, loss, means, sample_weight, images.shape[0])
