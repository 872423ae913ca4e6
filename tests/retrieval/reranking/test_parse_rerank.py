import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval import AlphaQueryExpansion, KReciprocal
from nfl_keras.retrieval.reranking.parse_rerank import parse_rerank


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k-reciprocal", KReciprocal()),
        ("k-reciprocal:", KReciprocal()),
        ("k-reciprocal:k1=30,k2=1,weight=1", KReciprocal(30, 1, 1.0)),
        ("alpha-expansion:alpha=0.5", AlphaQueryExpansion(alpha=0.5)),
        ("alpha-expansion:n=7,alpha=2", AlphaQueryExpansion(7, 2.0)),
    ],
)
def test_text_is_read(text, expected):
    assert parse_rerank(text) == expected
    assert parse_rerank(expected) is expected


@given(st.integers(1, 200), st.floats(0, 50))
def test_what_is_written_is_read_again(n, alpha):
    rerank = AlphaQueryExpansion(n, float(f"{alpha:.4g}"))
    assert parse_rerank(str(rerank)) == rerank


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no re-ranking ''; give k-reciprocal or alpha-expansion, perhaps with"),
        (3, "there is no re-ranking '3'"),
        ("k-reciprocal:k3=1", "'k3=1' is no setting of the re-ranking k-reciprocal; write such as"),
        ("k-reciprocal:k1=1.5", "'k1=1.5' is no setting"),
        ("alpha-expansion:n", "'n' is no setting of the re-ranking alpha-expansion"),
        ("alpha-expansion:n=0", "n of an alpha expansion must be a whole number"),
    ],
)
def test_other_text_is_refused_in_one_line(text, message):
    with pytest.raises(UserError, match=message) as error:
        parse_rerank(text)
    assert "\n" not in str(error.value)
