"""Defines what a run measures of a trained model beside retrieval."""

import dataclasses
from typing import Any

import numpy as np

from nfl_keras.models import Learner
from nfl_keras.retrieval import accuracy, class_diversity
from nfl_keras.training.splits import Splits


def measures(
    model: Learner, splits: Splits, query_embeddings: np.ndarray, crops: int
) -> dict[str, Any]:
    """Measures how diverse the queries of a class are, and how often the softmax head is right.

    Args:
        model: `Learner`.
        splits: `Splits` that the model was trained on.
        query_embeddings: float32 `[Q, D]`, of `splits.final.query`.
        crops: int, crops per photograph.

    Returns:
        Dict of JSON values: `"diversity"`, a `ClassDiversity` as a dict, or `None` if no class
        has two queries; `"accuracy"`, a float in 0..1, or `None` if the model has no classifier
        or was not trained on the queries' classes.
    """
    query = splits.final.query
    diversity = None
    if np.bincount(query.labels).max() > 1:
        diversity = dataclasses.asdict(class_diversity(query_embeddings, query.labels))
    right = None
    trained = np.isin(query.classes, splits.train.classes).all()
    if getattr(model, "classifier", None) is not None and trained:
        right = accuracy(splits.final.classify(model, crops), query.labels, model.class_labels)
    return {"diversity": diversity, "accuracy": right}
