"""Bad images among the good ones of others, on an exported model whose requests are merged."""

import concurrent.futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from nfl_keras.export.verification import as_image_set
from nfl_keras.retrieval import embed
from nfl_keras.servable.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE, UNSUPPORTED
from nfl_keras.serving import Batching, Server

THREADS = 8


@pytest.fixture(scope="module")
def ask(models_folder):
    """Function from encoded images to embeddings and statuses, by the stubs alone."""
    batching = Batching(max_batch_size=24, batch_timeout_micros=20_000)
    with (
        Server(models_folder, port=0, batching=batching) as server,
        grpc.insecure_channel(f"localhost:{server.port}") as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def ask(images):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "embedder"
            request.inputs["images"].CopyFrom(tf.make_tensor_proto(images, tf.string))
            outputs = stub.Predict(request, timeout=120).outputs
            return [tf.make_ndarray(outputs[name]) for name in ("embedding", "status")]

        yield ask


def test_bad_images_are_zeros_and_no_other_request_notices(
    ask, embedder, photographs, damaged, bombs, foreign, unsupported
):
    good = list(photographs.values())
    expected = embed(embedder, as_image_set(good))
    kinds = {
        DAMAGED: damaged,
        TOO_LARGE: bombs,
        NOT_AN_IMAGE: foreign,
        UNSUPPORTED: unsupported,
        EMPTY: {"": b""},
    }
    bad = [(status, content) for status, files in kinds.items() for content in files.values()]

    def ask_for(number):
        place, (status, content) = number % len(good), bad[number % len(bad)]
        if number % 3:
            embeddings, statuses = ask([content, good[place]])
            assert statuses.tolist() == [status, OK]
            assert not embeddings[0].any()
        else:
            embeddings, statuses = ask([good[place]])
            assert statuses.tolist() == [OK]
        np.testing.assert_allclose(embeddings[-1], expected[place], atol=1e-5)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        assert len(list(pool.map(ask_for, range(6 * len(bad))))) >= 100


def test_mutated_photographs_end_nothing(ask, photographs, rare):
    generator = np.random.default_rng(0)
    good = photographs["PNG"]
    (expected,), _ = ask([good])
    seen = set()
    for _ in range(20):
        bad = []
        for content in (*photographs.values(), *rare.values()):
            changed = bytearray(content)
            for place in generator.integers(0, len(changed), 3):
                changed[place] = generator.integers(256)
            bad.append(bytes(changed[: generator.integers(len(changed) // 2, len(changed) + 1)]))
        embeddings, statuses = ask([good, *bad, good])
        np.testing.assert_allclose(embeddings[[0, -1]], [expected, expected], atol=1e-6)
        norms = np.linalg.norm(embeddings, axis=1)
        np.testing.assert_allclose(norms, statuses == OK, atol=1e-5)
        seen.update(statuses.tolist())
    assert {OK, DAMAGED} <= seen
