import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.losses.anchor_weights import anchor_weights


@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_a_plain_mean_under_the_weights_is_the_mean_over_the_anchors_that_have_a_term(anchors):
    weights = np.asarray(anchor_weights(np.array(anchors)))
    assert weights.dtype == np.float32
    values = np.linspace(1, 2, len(anchors))
    expected = values[anchors].mean() if any(anchors) else 0
    np.testing.assert_allclose((weights * values).mean(), expected, rtol=1e-6)
