"""Exact neighbours, and how good they are."""

from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.evaluation import evaluate
from nfl_keras.retrieval.neighbours import neighbours
from nfl_keras.retrieval.retrieval_report import RetrievalReport

__all__ = ["RetrievalReport", "embed", "evaluate", "neighbours"]
