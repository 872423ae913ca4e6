"""Defines how a model uses the moving averages of its weights for a while."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Returns a context within which a model's weights are their moving averages.

    Evaluate and save the model within it. After it the weights are bit for bit what they were.
    `keras.callbacks.SwapEMAWeights` does not promise that: it swaps by sums and differences, and
    after an early stop it leaves the averages in the model. The statistics of BatchNormalization
    are moving averages already, and stay.

    The context changes nothing if the optimizer has no `use_ema` or has made no step.

    Args:
        model: compiled `keras.Model`.

    Example:

    >>> from nfl_keras.training.averaged_weights import averaged_weights
    >>> model = keras.Sequential([keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
    >>> losses = [model.train_on_batch(np.ones((4, 1)), np.zeros((4, 1))) for _ in range(2)]
    >>> weight = model.get_weights()[0]
    >>> with averaged_weights(model):
    ...     bool(np.any(model.get_weights()[0] != weight))
    True
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema or not optimizer.built or optimizer.iterations.numpy() == 0:
        yield
        return
    weights = model.trainable_weights
    before = [weight.numpy() for weight in weights]
    averages = optimizer._model_variables_moving_average
    for weight, average in zip(weights, averages, strict=True):
        weight.assign(average)
    try:
        yield
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)
