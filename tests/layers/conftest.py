"""Fixtures of the layers' tests: published and made-up parameters of white balance."""

import os
import pathlib

import numpy as np
import pytest


@pytest.fixture(scope="session")
def made_up_parameters(tmp_path_factory):
    """A folder of random parameters, with the shapes of the published ones."""
    folder = tmp_path_factory.mktemp("made_up")
    rng = np.random.default_rng(0)
    mappings = rng.normal(0, 0.1, (17970, 9, 3)) + np.eye(9, 3)
    np.save(folder / "mappingFuncs.npy", np.asfortranarray(mappings))
    for name, scale, shape in (
        ("features.npy", 0.1, (1797, 55)),
        ("encoderWeights.npy", 0.02, (10800, 55)),
        ("encoderBias.npy", 0.003, (10800, 1)),
    ):
        np.save(folder / name, rng.normal(0, scale, shape).astype("float32"))
    return str(folder)


@pytest.fixture(scope="session")
def published_parameters():
    """The folder of the published parameters and reference vectors, or a skip without it."""
    folder = os.environ.get("NFL_KERAS_WHITE_BALANCE")
    if not folder and os.environ.get("NFL_KERAS_DATA"):
        folder = pathlib.Path(os.environ["NFL_KERAS_DATA"]).parent / "reference/white_balance"
    if not folder or not (pathlib.Path(folder) / "features.npy").exists():
        pytest.skip("NFL_KERAS_WHITE_BALANCE does not name the folder of published parameters")
    return str(folder)
