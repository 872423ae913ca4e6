"""The moving averages of weights that an optimizer keeps."""

import contextlib


@contextlib.contextmanager
def averaged_weights(model):
    """Within it a model's weights are their moving averages; after it, themselves again.

    To be put around evaluating and saving. Training goes on from the weights as they were, bit
    for bit, which `keras.callbacks.SwapEMAWeights` does not promise: it swaps by sums and
    differences, and after an early stop it leaves the other weights in the model. The
    statistics of BatchNormalization are moving averages already, and stay.

    Without `use_ema` in the optimizer, and before its first step, it changes nothing.

    Args:
        model: compiled `keras.Model`.

    Example:

    >>> with averaged_weights(model):
    ...     model.save("averaged.keras")
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
