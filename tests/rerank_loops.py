"""The papers' equations as loops over all pairs, in float64: what re-ranking is compared with."""

import math

import numpy as np


def plain_order(query, gallery, own):
    """Positions by descending similarity, then by position, without the query's own."""
    others = [g for g in range(len(gallery)) if g != own]
    return sorted(others, key=lambda g: (-dot(query, gallery[g]), g))


def dot(a, b):
    """The cosine similarity, rounded once as the package does."""
    return float(np.float32(math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))))


def expanded_query(query, gallery, own, n, alpha):
    """Radenovic et al. 2018: the query plus its neighbors, each times its similarity ** alpha."""
    total = [float(x) for x in query]
    for g in plain_order(query, gallery, own)[:n]:
        weight = max(dot(query, gallery[g]), 0.0) ** alpha
        total = [t + weight * float(x) for t, x in zip(total, gallery[g], strict=True)]
    norm = math.sqrt(math.fsum(t * t for t in total))
    return [t / norm for t in total] if norm > 1e-3 else [float(x) for x in query]


def k_reciprocal_order(query, gallery, own, k1, k2, weight, shortlist):
    """Zhong et al. 2017, with one query: dense encodings of everything, then the shortlist."""
    # The query is number 0, so that it comes before those that are as similar.
    numbers = [g for g in range(len(gallery)) if g != own]
    rows = [query, *(gallery[g] for g in numbers)]
    total = len(rows)
    similarity = [[dot(a, b) for b in rows] for a in rows]
    ranking = [
        sorted((j for j in range(total) if j != i), key=lambda j, i=i: (-similarity[i][j], j))
        for i in range(total)
    ]

    def neighborhood(i, k):
        return {i, *ranking[i][:k]}

    def reciprocal(i, k):
        return {j for j in neighborhood(i, k) if i in neighborhood(j, k)}

    encodings = []
    for i in range(total):
        members = reciprocal(i, k1)
        larger = set(members)
        for c in members:
            half = reciprocal(c, k1 // 2)
            if len(members & half) >= 2 / 3 * len(half) - 1e-9:
                larger |= half
        weights = [math.exp(similarity[i][j] - 1) if j in larger else 0.0 for j in range(total)]
        encodings.append([value / math.fsum(weights) for value in weights])

    def mean_encoding(i):
        averaged = [encodings[j] for j in (i, *ranking[i][: k2 - 1])]
        return [math.fsum(column) / len(averaged) for column in zip(*averaged, strict=True)]

    x = mean_encoding(0)

    def distance(i):
        y = mean_encoding(i)
        smaller = math.fsum(min(a, b) for a, b in zip(x, y, strict=True))
        larger = math.fsum(max(a, b) for a, b in zip(x, y, strict=True))
        jaccard = 1 - smaller / larger
        return round(weight * (1 - similarity[0][i]) + (1 - weight) * jaccard, 10)

    head = sorted(ranking[0][:shortlist], key=lambda i: (distance(i), ranking[0].index(i)))
    return [numbers[i - 1] for i in (*head, *ranking[0][shortlist:])]
