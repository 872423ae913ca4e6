import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.losses.per_anchor_loss import PerAnchorLoss

VALUES = np.array([1.0, 2.0, 4.0, 8.0], "float32")
WEIGHTS = np.array([0.5, 3.0, 2.0, 0.0], "float32")


class Plain(PerAnchorLoss):
    def per_anchor(self, y_true, y_pred):
        return ops.cast(y_pred, "float32")


class OfOddTargets(Plain):
    def anchors(self, y_true, y_pred):
        return ops.equal(y_true % 2, 1)


ODD_AT_1_AND_2 = np.array([2, 1, 3, 4])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean"])
def test_mean_is_over_the_anchors_that_have_a_term(reduction):
    assert float(Plain(reduction=reduction)(ODD_AT_1_AND_2, VALUES)) == 15 / 4
    loss = OfOddTargets(reduction=reduction)
    assert float(loss(ODD_AT_1_AND_2, VALUES)) == (2 + 4) / 2
    weighted = loss(ODD_AT_1_AND_2, VALUES, sample_weight=WEIGHTS)
    assert float(weighted) == (3 * 2 + 2 * 4) / 2
    assert float(loss(np.zeros(4, int), VALUES)) == 0


@pytest.mark.parametrize("reduction", [None, "none"])
def test_without_reduction_there_is_one_value_per_anchor(reduction):
    loss = OfOddTargets(reduction=reduction)
    assert np.asarray(loss(ODD_AT_1_AND_2, VALUES)).tolist() == VALUES.tolist()
    weighted = loss(ODD_AT_1_AND_2, VALUES, sample_weight=WEIGHTS)
    assert np.asarray(weighted).tolist() == (VALUES * WEIGHTS).tolist()


def test_sum_adds_the_anchors_up():
    loss = OfOddTargets(reduction="sum")
    assert float(loss(ODD_AT_1_AND_2, VALUES)) == 15
    assert float(loss(ODD_AT_1_AND_2, VALUES, sample_weight=WEIGHTS)) == 0.5 + 6 + 8


def test_targets_arrive_as_they_were_given():
    seen = []

    class Looking(Plain):
        def per_anchor(self, y_true, y_pred):
            seen.append((y_true, y_pred))
            return super().per_anchor(y_true, y_pred)

    Looking()(np.array([2**60 + 1], "int64"), ops.cast([1.0], "bfloat16"))
    targets, predictions = seen[0]
    # JAX has no integers of 64 bits, unless it is asked for them.
    integer = "int32" if keras.config.backend() == "jax" else "int64"
    assert keras.backend.standardize_dtype(targets.dtype) == integer
    assert int(targets[0]) == np.array(2**60 + 1).astype(integer)
    assert keras.backend.standardize_dtype(predictions.dtype) == "bfloat16"


def test_a_subclass_has_to_say_what_an_anchor_costs():
    with pytest.raises(NotImplementedError, match="PerAnchorLoss must define per_anchor"):
        PerAnchorLoss()(ODD_AT_1_AND_2, VALUES)
