"""Defines which variables a training pass through a network changes by itself."""

import keras


def changing_variables(model: keras.Model) -> list[keras.Variable]:
    """Returns the moving statistics and the states of random layers of a model."""
    variables = {}
    for layer in model._flatten_layers():
        own = [*layer._non_trainable_variables, *(g.state for g in layer._seed_generators)]
        variables |= {id(variable): variable for variable in own}
    return list(variables.values())
