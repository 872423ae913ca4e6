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
    positions = {name: label for label, name in enumerate(splits.train.class_names)}
    right = None
    if hasattr(model, "classifier") and positions.keys() >= set(query.class_names):
        labels = np.array([positions[name] for name in query.class_names])[query.labels]
        right = accuracy(classify(model, query, crops), labels)
    return {"diversity": diversity, "accuracy": right}
