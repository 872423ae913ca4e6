import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import connected

from nfl_keras.gallery.faults.same_content import same_content


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=20))
def test_pairs_connect_what_has_one_content(photographs):
    hashes, parts = np.array(photographs).T
    names = np.array([f"hash {number}" for number in hashes])
    count = range(len(hashes))
    for given_parts in (None, parts):
        first, second, similarities = same_content(names, given_parts)
        expected = [
            (i, j)
            for i in count
            for j in count
            if i < j and hashes[i] == hashes[j]
            if given_parts is None or len(set(parts[hashes == hashes[i]].tolist())) > 1
        ]
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        assert connected(pairs) == connected(expected)
        assert (similarities == 1).all()
        assert similarities.dtype == "float32"
        assert len(first) < len(hashes)
