"""Our losses against the values that tools/record_references.py recorded from other libraries.

tensorflow-addons gives means over the batch. Where ours averages over other terms, the test says
by how many of an anchor's terms its value is weighted.
"""

import json
import pathlib

import numpy as np
import pytest

from nfl_keras import losses

RECORDED = json.loads(pathlib.Path(__file__).with_name("references.json").read_text())
ADDONS = RECORDED["tensorflow_addons"]
METRIC_LEARNING = RECORDED["pytorch_metric_learning"]
# As recorded in pytorch-metric-learning, with the settings that ours has by other names.
WAYS = {
    "contrastive": losses.ContrastiveLoss(0.3, 1.2, squared=False),
    "triplet_all": losses.TripletLoss(0.2, "all"),
    "triplet_hard": losses.TripletLoss(0.2, "hard"),
    "lifted_structure": losses.LiftedStructureLoss(1.0),
    "epshn": losses.EPSHNLoss(0.1),
    "multi_similarity": losses.MultiSimilarityLoss(2.0, 50.0, 0.5, epsilon=None),
    "multi_similarity_mined": losses.MultiSimilarityLoss(2.0, 50.0, 0.5, epsilon=0.1),
    "supervised_contrastive": losses.SupervisedContrastiveLoss(0.1),
}
every_batch = pytest.mark.parametrize("name", RECORDED["batches"])


def batch(name):
    seed, width, labels = RECORDED["batches"][name].values()
    vectors = np.random.default_rng(seed).normal(size=(len(labels), width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype("float32"), np.array(labels)


def distances_and_positives(name):
    f, labels = batch(name)
    distances = np.linalg.norm(f[:, None] - f, axis=-1)
    return distances, np.equal.outer(labels, labels) & ~np.eye(len(labels), dtype=bool)


def test_the_versions_are_those_asked_for():
    assert ADDONS["versions"] == {"tensorflow": "2.15.1", "addons": "0.23.0"}
    assert METRIC_LEARNING["versions"]["metric_learning"] == "2.9.0"


@every_batch
@pytest.mark.parametrize("way", WAYS)
def test_each_anchor_costs_what_it_does_in_pytorch_metric_learning(name, way):
    f, labels = batch(name)
    expected = METRIC_LEARNING[name][way]["by_anchor"]
    np.testing.assert_allclose(WAYS[way].per_anchor(labels, f), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["balanced", "pairs"])
@pytest.mark.parametrize(
    "way",
    ["lifted_structure", "multi_similarity", "multi_similarity_mined", "supervised_contrastive"],
)
def test_the_mean_is_that_of_pytorch_metric_learning_for_classes_of_one_size(name, way):
    f, labels = batch(name)
    expected = METRIC_LEARNING[name][way]["loss"]
    np.testing.assert_allclose(WAYS[way](labels, f), expected, rtol=1e-4)


def test_n_pairs_is_the_mean_over_one_anchor_of_each_class():
    f, labels = batch("pairs")
    cosines = np.asarray(losses.n_pairs(f, labels, temperature=1.0))[:4]
    expected = METRIC_LEARNING["pairs"]["n_pairs"]
    np.testing.assert_allclose(cosines, expected["by_anchor"][:4], rtol=1e-5)
    np.testing.assert_allclose(cosines.mean(), expected["loss"], rtol=1e-5)
    scaled = np.asarray(losses.n_pairs(f, labels, temperature=0.1))[:4]
    np.testing.assert_allclose(scaled.mean(), ADDONS["pairs"]["npairs"], rtol=1e-5)


@every_batch
def test_contrastive_is_the_mean_over_violating_pairs_of_addons(name):
    f, labels = batch(name)
    of_pairs = np.array(ADDONS[name]["contrastive"])
    _, positives = distances_and_positives(name)
    expected = []
    for row, mates, of_class in zip(of_pairs, positives, labels, strict=True):
        pushes = row[(labels != of_class) & (row > 0)]
        expected.append(row[mates].mean() + (pushes.mean() if pushes.size else 0))
    values = losses.contrastive(f, labels, negative_margin=1.2)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


@every_batch
def test_semi_hard_triplets_are_those_of_addons(name):
    f, labels = batch(name)
    distances, positives = distances_and_positives(name)
    violating = np.zeros(len(labels))
    for i, p in np.argwhere(positives):
        to_negatives = distances[i][labels != labels[i]]
        farther = to_negatives[to_negatives > distances[i, p]]
        negative = farther.min() if farther.size else to_negatives.max()
        violating[i] += distances[i, p] - negative + 0.5 > 0
    values = np.asarray(losses.triplet(f, labels, 0.5, "semi-hard"))
    mean = (values * violating).sum() / positives.sum()
    np.testing.assert_allclose(mean, ADDONS[name]["triplet_semihard"], rtol=1e-5)


@every_batch
def test_hard_triplets_are_those_of_addons(name):
    f, labels = batch(name)
    values = np.asarray(losses.triplet(f, labels, 0.5, "hard"))
    np.testing.assert_allclose(values.mean(), ADDONS[name]["triplet_hard"], rtol=1e-5)


@every_batch
def test_lifted_structure_weighs_each_pair_the_same_in_addons(name):
    f, labels = batch(name)
    _, positives = distances_and_positives(name)
    values = losses.lifted_structure(f, labels, 1.0)
    mean = np.average(values, weights=positives.sum(axis=1))
    np.testing.assert_allclose(mean, ADDONS[name]["lifted_struct"], rtol=1e-5)
