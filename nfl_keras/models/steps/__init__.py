"""The step that `fit` and `evaluate` take with a batch, one way for each of Keras' backends.

`Step` is that of the backend at work. Each is a mixin to stand before `keras.Model` in a class
that has `outputs`, `objective` and `track`, as `nfl_keras.models.learner.Learner` has.
"""

import keras

if keras.config.backend() == "tensorflow":
    from nfl_keras.models.steps.tensorflow_step import TensorFlowStep as Step
elif keras.config.backend() == "jax":
    from nfl_keras.models.steps.jax_step import JAXStep as Step
elif keras.config.backend() == "torch":
    from nfl_keras.models.steps.torch_step import TorchStep as Step
else:

    class Step:
        """Keras' other backends do not train, and say so themselves."""


__all__ = ["Step"]
