"""Tests of what the workers of a strategy are called, and of which one is the chief."""

import types

import pytest
import tensorflow as tf

from nfl_keras.distribution.describe_strategy import describe_strategy
from nfl_keras.distribution.is_chief import is_chief

TWO = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


def fake(replicas, devices, cluster=None, job=None, index=None):
    resolver = types.SimpleNamespace(
        cluster_spec=lambda: tf.train.ClusterSpec(cluster or {}), task_type=job, task_id=index
    )
    return types.SimpleNamespace(
        num_replicas_in_sync=replicas,
        extended=types.SimpleNamespace(worker_devices=["device"] * devices),
        cluster_resolver=resolver,
    )


def test_replicas_and_workers_in_words():
    assert describe_strategy(fake(4, 4)) == "on 4 replicas"
    assert describe_strategy(fake(8, 4)) == "on 8 replicas of 2 workers"


def test_one_device_is_described_as_such():
    assert describe_strategy(tf.distribute.get_strategy()) == "on one device"


def test_one_device_belongs_to_a_chief():
    assert is_chief(tf.distribute.get_strategy())


@pytest.mark.parametrize(
    ("cluster", "job", "index", "expected"),
    [
        ({}, None, None, True),
        (TWO, "worker", 0, True),
        (TWO, "worker", 1, False),
        ({"chief": ["a:1"], **TWO}, "chief", 0, True),
        ({"chief": ["a:1"], **TWO}, "worker", 0, False),
    ],
)
def test_one_worker_is_the_chief(cluster, job, index, expected):
    assert is_chief(fake(2, 1, cluster, job, index)) is expected
