import dataclasses

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nfl_keras as nfl
from nfl_keras.errors import UserError
from nfl_keras.retrieval import evaluate

WEIGHTS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3)
REPORT = evaluate(np.eye(4, dtype="float32"), [0, 0, 1, 1])


@pytest.fixture(scope="module")
def model():
    layers = [keras.Input((1,)), keras.layers.Dense(1), keras.layers.BatchNormalization()]
    return keras.Sequential([*layers, keras.layers.Dropout(0.5, seed=1)])


def report(recall, mean_precision):
    return dataclasses.replace(REPORT, recall_at={1: recall}, map=mean_precision)


class Task:
    """A task whose figures are those of a table by the first weight of the model."""

    def __init__(self, figures):
        self.figures = figures
        self.embedded = []

    def embed(self, model, crops):
        self.embedded.append(crops)
        return model.get_weights()[0].item(), None

    def evaluate(self, weight, _):
        return report(*self.figures[round(weight, 6)])


def chosen(figures, floor=None):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    task = Task(figures)
    floor = None if floor is None else report(*floor)
    zero, one = [np.zeros((1, 1))], [np.ones((1, 1))]
    found = nfl.training.choose_blend(
        model, zero, one, task, crops=1, alphas=list(figures), floor=floor
    )
    assert model.get_weights()[0].item() == found.alpha
    assert task.embedded == [1] * len(figures)
    return found.alpha


@given(before=WEIGHTS, after=WEIGHTS, alpha=st.floats(0, 1))
def test_every_weight_is_mixed(model, before, after, alpha):
    # The kernel and the bias, gamma and beta, the moving mean and variance.
    weights = [np.resize(np.float32(values), 6) for values in (before, after)]
    ends = [
        [value.reshape(weight.shape) for value, weight in zip(end, model.weights, strict=True)]
        for end in weights
    ]
    nfl.training.blend(model, *ends, alpha)
    found = np.concatenate([weight.ravel() for weight in model.get_weights()])
    right = (1 - alpha) * weights[0].astype("float64") + alpha * weights[1].astype("float64")
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-3)


def test_both_ends_are_exact(model):
    rng = np.random.default_rng(0)
    before, after = (
        [rng.normal(size=weight.shape).astype("float32") for weight in model.weights]
        for _ in range(2)
    )
    for alpha, end in ((0.0, before), (1.0, after)):
        nfl.training.blend(model, before, after, alpha)
        for found, right in zip(model.get_weights(), end, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)


def test_weights_of_another_architecture_are_refused(model):
    weights = model.get_weights()
    for others in (weights[1:], [np.zeros((2, 1)), *weights[1:]]):
        with pytest.raises(UserError, match="do not fit the model"):
            nfl.training.blend(model, others, weights, 0.5)
        with pytest.raises(UserError, match="do not fit the model"):
            nfl.training.blend(model, weights, others, 0.5)


def test_the_highest_sum_of_both_figures_is_chosen():
    assert chosen({0.0: (0.5, 0.3), 0.5: (0.6, 0.35), 1.0: (0.55, 0.39)}) == 0.5
    assert chosen({0.0: (0.5, 0.3), 0.5: (0.6, 0.35), 1.0: (0.55, 0.41)}) == 1.0


def test_of_equal_mixtures_the_most_trained_is_chosen():
    assert chosen({0.0: (1.0, 1.0), 0.5: (1.0, 1.0), 1.0: (0.9, 1.0)}) == 0.5


def test_a_mixture_below_the_frozen_backbone_in_either_figure_is_not_chosen():
    figures = {0.0: (0.5, 0.3), 0.5: (0.49, 0.9), 1.0: (0.9, 0.29)}
    assert chosen(figures) == 0.5
    assert chosen(figures, floor=(0.5, 0.3)) == 0.0


def test_where_all_are_below_the_best_of_them_is_chosen():
    assert chosen({0.0: (0.5, 0.3), 1.0: (0.6, 0.3)}, floor=(0.9, 0.9)) == 1.0


def test_two_embedders_of_a_user(model):
    query = nfl.data.load("blooms", split="query").subset(range(24))
    task = nfl.retrieval.RetrievalTask(query, query)
    before, after = (nfl.models.Embedder("tiny", 8, 16) for _ in "ab")
    found = nfl.training.choose_blend(
        after, before.get_weights(), after.get_weights(), task, crops=1, alphas=[0.0, 1.0]
    )
    for alpha, end in ((0.0, before), (1.0, after)):
        alone = task.evaluate(*task.embed(end, 1))
        assert found.reports[alpha].map == pytest.approx(alone.map, abs=1e-6)


def test_factors_of_low_rank_updates_are_not_mixed_but_merged_ones_are():
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((1,)), layer])
    before = [np.array([[2.0]]), np.array([[3.0]]), np.array([[0.0]])]
    layer.enable_lora(1)
    model.set_weights(before)
    layer.lora_kernel_b.assign([[4.0]])
    with pytest.raises(UserError, match=r"cannot be mixed; .* nfl.models.merged_lora\(model\)"):
        nfl.training.blend(model, before, model.get_weights(), 0.5)
    with nfl.models.merged_lora(model):
        nfl.training.blend(model, before, model.get_weights(), 0.5)
        assert model(np.ones((1, 1))).numpy().item() == 8.0
