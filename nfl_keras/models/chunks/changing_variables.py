"""Defines which variables a training pass through a network changes by itself."""

import keras


def changing_variables(
    model: keras.Model,
) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """Returns the variables that a model's layers assign to in their calls.

    Args:
        model: `keras.Model`.

    Returns:
        `(statistics, seeds)`: floating variables, such as moving statistics, and the states of
        random layers.
    """
    variables: dict[int, keras.Variable] = {}
    for layer in model._flatten_layers():
        own = [*layer._non_trainable_variables, *(g.state for g in layer._seed_generators)]
        variables |= {id(variable): variable for variable in own}
    is_float = {key: keras.backend.is_float_dtype(v.dtype) for key, v in variables.items()}
    statistics = [variable for key, variable in variables.items() if is_float[key]]
    return statistics, [variable for key, variable in variables.items() if not is_float[key]]
