import numpy as np


def drawn(model):
    """The model with other weights than those that change nothing."""
    generator = np.random.default_rng(1)
    for variable in model.weights:
        low = 0.3 if "variance" in variable.name else -1.0
        variable.assign(generator.uniform(low, 1.5, variable.shape))
    return model
