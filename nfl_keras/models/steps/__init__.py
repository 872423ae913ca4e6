"""The base class of `Learner`: a Keras model with the training step of the backend in use.

`Step` takes the step of `fit` and `evaluate`. A subclass defines `outputs`, `objective`, `track`
and `track_terms`, as `nfl_keras.models.learner.Learner` does.
"""

import typing

import keras

if typing.TYPE_CHECKING or keras.config.backend() == "tensorflow":
    from nfl_keras.models.steps.tensorflow_step import TensorFlowStep as Step
elif keras.config.backend() == "jax":
    from nfl_keras.models.steps.jax_step import JAXStep as Step
elif keras.config.backend() == "torch":
    from nfl_keras.models.steps.torch_step import TorchStep as Step
else:
    # Keras' other backends do not train: their models raise an error in `fit`.
    Step = keras.Model


__all__ = ["Step"]
