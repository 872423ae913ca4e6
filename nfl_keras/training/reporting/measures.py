"""What is measured of a trained model beside how well it finds."""

import dataclasses

import numpy as np

from nfl_keras.retrieval import accuracy, class_diversity, classify


def measures(model, splits, query_embeddings, crops):
    """How diverse the queries of a class are, and how often the softmax head is right.

    Args:
        model: `nfl_keras.models.Learner`.
        splits: `Splits` that it was trained on.
        query_embeddings: float32 `[Q, D]`, of `splits.final.query`.
        crops: int, crops per photograph.

    Returns:
        Dict of JSON values: `"diversity"`, a `ClassDiversity` as a dict, or `None` where no class
        has two queries; `"accuracy"`, a float in 0..1, or `None` where the model has no
        classifier or was not trained on the queries' classes.
    """
    query = splits.final.query
    diversity = None
    if np.bincount(query.labels).max() > 1:
        diversity = dataclasses.asdict(class_diversity(query_embeddings, query.labels))
    right = None
    trained = np.isin(query.classes, splits.train.classes).all()
    if getattr(model, "classifier", None) is not None and trained:
        right = accuracy(classify(model, query, crops), query.labels, model.class_labels)
    return {"diversity": diversity, "accuracy": right}
