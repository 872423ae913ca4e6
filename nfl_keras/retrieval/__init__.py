"""Exact neighbors, and how good they are."""

from nfl_keras.retrieval.classification import accuracy, classify
from nfl_keras.retrieval.diversity import ClassDiversity, class_diversity
from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.evaluation import evaluate
from nfl_keras.retrieval.neighbors import neighbors
from nfl_keras.retrieval.retrieval_report import RetrievalReport

__all__ = [
    "ClassDiversity",
    "RetrievalReport",
    "accuracy",
    "class_diversity",
    "classify",
    "embed",
    "evaluate",
    "neighbors",
]
