import types
from pathlib import Path

import numpy as np
import pytest

from nfl_keras.distribution.batch_share import _position

pytestmark = pytest.mark.tensorflow("replicas are TensorFlow's")

SCRIPT = Path(__file__).parent / "replicas.py"
TERMS = ("L", "L_D", "L_N", "L_S")
REPORTED = ("loss", "L_D", "L_N", "L_S", "mean_of_first_coordinate")
ONE_PROCESS = ("2", "4")
EVERYWHERE = (*ONE_PROCESS, "workers", "other worker")


@pytest.fixture(scope="module")
def found(tmp_path_factory, run_clusters):
    """What `replicas.py` found on 1, 2 and 4 devices and, twice over, on two workers."""
    folder = tmp_path_factory.mktemp("replicas")
    first, second, two, four = (
        folder / f"{name}.npz" for name in ("first", "second", "two", "four")
    )
    run_clusters([[SCRIPT, first], [SCRIPT, second]], [[SCRIPT, two, 1, 2]], [[SCRIPT, four, 4]])
    results = {}
    for output in (first, second, two, four):
        with np.load(output, allow_pickle=False) as arrays:
            for name in arrays.files:
                key = name.replace("workers", "other worker") if output is second else name
                results[key] = arrays[name]
    return results


def distance(found, replicas, name):
    """How far what replicas found is from what one device did, relative to the latter."""
    one, other = (np.asarray(found[f"{key}: {name}"], "float64") for key in ("1", replicas))
    assert one.shape == other.shape
    assert np.linalg.norm(one) > 0
    return np.linalg.norm(other - one) / np.linalg.norm(one)


@pytest.mark.parametrize("replicas", EVERYWHERE)
@pytest.mark.parametrize("term", TERMS)
def test_gradients_are_those_of_one_device(found, replicas, term):
    assert distance(found, replicas, f"initial weights of {term}") == 0
    assert distance(found, replicas, f"gradient of {term}") < 1e-5
    assert distance(found, replicas, f"loss of {term}") < 1e-5


def test_the_terms_have_gradients_of_their_own(found):
    sizes = {len(found[f"1: gradient of {term}"]) for term in ("L_D", "L_N")}
    assert len(sizes) == 1
    one, other = (found[f"1: gradient of {term}"] for term in ("L_D", "L_N"))
    assert np.linalg.norm(one - other) > 0.1 * np.linalg.norm(one)


@pytest.mark.parametrize("replicas", EVERYWHERE)
def test_20_steps_with_synchronized_batch_norm(found, replicas):
    assert distance(found, replicas, "weights, synchronized") < 1e-4
    assert distance(found, replicas, "embeddings, synchronized") < 1e-4
    for name in REPORTED:
        assert distance(found, replicas, f"history of {name}, synchronized") < 1e-4


def test_20_steps_of_adam_with_frozen_batch_norm(found):
    assert distance(found, "2", "weights, frozen") < 1e-4
    assert distance(found, "2", "embeddings, frozen") < 1e-4
    for name in REPORTED:
        assert distance(found, "2", f"history of {name}, frozen") < 1e-4


@pytest.mark.parametrize("replicas", EVERYWHERE)
def test_a_batch_that_replicas_divide_unevenly_is_learned_exactly(found, replicas):
    assert distance(found, replicas, "uneven gradient") < 1e-5
    assert distance(found, replicas, "uneven logs") < 1e-5
    assert distance(found, replicas, "uneven evaluation") < 1e-5


@pytest.mark.parametrize("count", [16, 11])
@pytest.mark.parametrize("pretext", ["rotation", "exemplar", "jigsaw"])
def test_noise_assisted_learning_is_that_of_one_device(found, pretext, count):
    assert distance(found, "2", f"initial weights, {pretext}") == 0
    assert distance(found, "2", f"gradient, {pretext} on {count}") < 1e-5
    assert distance(found, "2", f"logs, {pretext} on {count}") < 1e-5


def test_a_pretext_task_asks_replicas_what_it_asks_one_device_in_evaluation(found):
    assert distance(found, "2", "evaluation, jigsaw on 11") < 1e-5


@pytest.mark.parametrize("replicas", ONE_PROCESS)
def test_noise_is_that_of_one_device(found, replicas):
    for rows in (8, 4):
        np.testing.assert_array_equal(
            found[f"{replicas}: noise of {rows} rows"], found[f"1: noise of {rows} rows"]
        )
    rows = np.repeat(np.arange(8), 5)
    np.testing.assert_array_equal(found[f"{replicas}: noise in inference"], rows)
    drawn = found["1: noise of 8 rows"] - rows
    assert len(np.unique(drawn)) == 40
    assert np.abs(drawn[:20] - (found["1: noise of 4 rows"] - rows[:20])).min() > 0


@pytest.mark.parametrize("replicas", ONE_PROCESS)
def test_a_shuffle_is_that_of_one_device(found, replicas):
    for rows in (8, 4):
        np.testing.assert_array_equal(
            found[f"{replicas}: shuffle of {rows} rows"], found[f"1: shuffle of {rows} rows"]
        )
    np.testing.assert_array_equal(found[f"{replicas}: shuffle in inference"], np.arange(200))
    first = found["1: shuffle of 8 rows"].reshape(8, 25)
    again = found["1: shuffle of 4 rows"].reshape(4, 25)
    np.testing.assert_array_equal(np.sort(first), np.arange(200).reshape(8, 25))
    orders = np.concatenate([first % 25, again % 25])
    assert len(np.unique(orders, axis=0)) == 12


@pytest.mark.parametrize("replicas", ["1", "2"])
def test_chunks_give_the_gradient_of_one_device_and_the_whole_batch(found, replicas):
    for what in ("gradient", "logs"):
        whole = found[f"1: {what} in chunks of 0"]
        by_chunks = found[f"{replicas}: {what} in chunks of 3"]
        np.testing.assert_allclose(
            by_chunks, whole, rtol=1e-5, atol=1e-6 * np.linalg.norm(whole), err_msg=what
        )


def test_the_gradient_of_all_replicas_is_clipped(found):
    np.testing.assert_allclose(np.linalg.norm(found["1: clipped gradient"]), 0.01, rtol=1e-5)
    assert distance(found, "2", "clipped gradient") < 1e-5


def test_loss_scaling_in_half_precision_finds_its_scale_and_learns(found):
    # A half of the batch overflows at up to twice the scale that the whole batch does.
    scales = [float(found[f"{replicas}: half precision scale"][0]) for replicas in ("1", "2")]
    assert scales[0] <= scales[1] <= 2 * scales[0] < 2.0**39
    for replicas, scale in zip(("1", "2"), scales, strict=True):
        halvings = np.log2(2.0**40 / scale)
        assert found[f"{replicas}: half precision updates"][0] == 40 - halvings > 10
        first, last = found[f"{replicas}: half precision losses"]
        assert last < first
        assert np.all(np.isfinite(found[f"{replicas}: half precision weights"]))


@pytest.mark.parametrize("chunk_size", [0, 2])
@pytest.mark.parametrize("replicas", ["1", *ONE_PROCESS])
def test_moving_statistics_are_the_mean_over_the_replicas(found, replicas, chunk_size):
    np.testing.assert_allclose(
        found[f"{replicas}: moving mean and variance, {chunk_size}"],
        found[f"{replicas}: expected statistics, {chunk_size}"],
        rtol=0,
        atol=1e-6,
    )
    if replicas != "1":
        assert distance(found, replicas, "expected statistics, 0") > 1e-5


@pytest.mark.parametrize("replicas", ["2", "workers", "other worker"])
def test_a_model_of_ones_own_is_fitted(found, replicas):
    for name in ("weights", "losses", "accuracy"):
        assert distance(found, replicas, f"own model's {name}") < 1e-4


@pytest.mark.parametrize("replicas", EVERYWHERE)
@pytest.mark.parametrize("count", [16, 10])
def test_a_loss_in_compile_is_that_of_the_whole_batch(found, replicas, count):
    assert distance(found, replicas, f"gradient of a loss in compile, {count}") < 1e-5
    assert distance(found, replicas, f"weights by a loss in compile, {count}") < 1e-4
    # What Keras reports is the plain mean over replicas, here over unequal ones.
    if count == 16:
        assert distance(found, replicas, f"history of a loss in compile, {count}") < 1e-5


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ("small batch", "fewer images than there are replicas"),
        ("train_on_batch", "each of 4 replicas"),
        ("compiled outside", "outside of the scope of the MirroredStrategy"),
        ("made outside", "outside of the scope of the MirroredStrategy"),
    ],
)
def test_what_cannot_be_divided_is_refused_in_one_line(found, refused, words):
    message = str(found[f"4: {refused}"][0])
    assert words in message
    assert "\n" not in message
    assert np.all(found["4: weights left by a small batch"] == 0)


def test_the_dataset_of_a_worker_keeps_every_second_part_of_a_batch():
    strategy = types.SimpleNamespace(extended=types.SimpleNamespace(worker_devices=["a", "b"]))
    contexts = [
        types.SimpleNamespace(
            strategy=strategy, num_replicas_in_sync=4, replica_id_in_sync_group=replica
        )
        for replica in range(4)
    ]
    parts = list(range(4))
    of_workers = [parts[worker::2] for worker in range(2)]
    assert [_position(context) for context in contexts] == of_workers[0] + of_workers[1]
