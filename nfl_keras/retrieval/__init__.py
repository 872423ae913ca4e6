"""Embeddings of image sets, exact nearest neighbors, metrics of retrieval, and explanations."""

from nfl_keras.retrieval import descriptors
from nfl_keras.retrieval.accuracy import accuracy
from nfl_keras.retrieval.class_diversity import ClassDiversity, class_diversity
from nfl_keras.retrieval.classify import classify
from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.evaluate import evaluate
from nfl_keras.retrieval.explaining.explain import explain
from nfl_keras.retrieval.explaining.explanation import Explanation, Link
from nfl_keras.retrieval.neighbors import neighbors
from nfl_keras.retrieval.pooled_features import pooled_features
from nfl_keras.retrieval.reranking.alpha_query_expansion import AlphaQueryExpansion
from nfl_keras.retrieval.reranking.k_reciprocal import KReciprocal
from nfl_keras.retrieval.retrieval_report import RetrievalReport
from nfl_keras.retrieval.retrieval_task import RetrievalTask

__all__ = [
    "AlphaQueryExpansion",
    "ClassDiversity",
    "Explanation",
    "KReciprocal",
    "Link",
    "RetrievalReport",
    "RetrievalTask",
    "accuracy",
    "class_diversity",
    "classify",
    "descriptors",
    "embed",
    "evaluate",
    "explain",
    "neighbors",
    "pooled_features",
]
