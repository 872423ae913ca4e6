"""Odd photographs by every way: all turn them alike, or refuse them with the same words."""

import base64
import functools
import http.client
import json

import grpc
import numpy as np
import photograph_cases
import pytest
import tensorflow as tf
from photograph_cases import ODD, REFUSED, plain
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from upright import upright

from nfl_keras.data import ImageSet, bad_images
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.data.decoding.reader import reader
from nfl_keras.errors import UserError
from nfl_keras.retrieval import embed
from nfl_keras.servable.status import MESSAGES, OK, UNSUPPORTED
from nfl_keras.serving import Client, Server

CASES = {**ODD, **photograph_cases.reported()}
PLAIN = [plain("JPEG", orientation) for orientation in range(1, 9)]
WAYS = ("training", "embed", "exported graph", "gRPC", "REST", "client")
SERVERS = ("exported graph", "gRPC", "REST")


def as_set(contents):
    names = [str(number) for number in range(len(contents))]
    return ImageSet(names, np.zeros(len(contents), int), ["all"], contents.__getitem__)


def by_sets(answer):
    """Function from files to answers, or to the reasons that `bad_images` gives."""

    def ask(files):
        reasons = bad_images(as_set(files))
        bad = [files[int(name)] for name in reasons]
        with pytest.raises(UserError, match=f"{len(bad)} of {len(bad)} photographs cannot be used"):
            answer(as_set(bad))
        good = iter(answer(as_set([file for file in files if file not in bad])))
        return [reasons.get(str(n)) or next(good) for n in range(len(files))]

    return ask


@pytest.fixture(scope="module")
def ways(embedder, models_folder):
    """Dict from a way to a function from files to an embedding or a reason of each."""

    def by_training(image_set):
        with explain_photograph_errors(image_set):
            positions = tf.data.Dataset.range(len(image_set))
            images = [upright(*pair) for pair in positions.map(reader(image_set))]
        pixels = [photograph_cases.saved(Image.fromarray(image), "PNG") for image in images]
        return embed(embedder, as_set(pixels))

    def answers(embeddings, statuses):
        return [
            np.array(embedding) if status == OK else MESSAGES[int(status)]
            for embedding, status in zip(embeddings, statuses, strict=True)
        ]

    def by_graph(contents):
        given = graph(images=tf.constant(contents))
        return answers(given["embedding"].numpy(), given["status"].numpy())

    def by_grpc(contents):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "embedder"
        request.inputs["images"].CopyFrom(tf.make_tensor_proto(contents, tf.string))
        outputs = stub.Predict(request, timeout=120).outputs
        return answers(*(tf.make_ndarray(outputs[name]) for name in ("embedding", "status")))

    def by_rest(contents):
        instances = [{"b64": base64.b64encode(content).decode()} for content in contents]
        connection = http.client.HTTPConnection("localhost", server.rest_port, timeout=120)
        body = json.dumps({"instances": instances})
        connection.request("POST", "/v1/models/embedder:predict", body)
        rows = json.loads(connection.getresponse().read())["predictions"]
        connection.close()
        return answers(*([row[key] for row in rows] for key in ("embedding", "status")))

    def by_client(contents):
        result = client.embed(contents)
        return [result.failed.get(n, row) for n, row in enumerate(result.embeddings)]

    graph = tf.saved_model.load(str(models_folder / "embedder" / "1")).signatures["serving_default"]
    with (
        Server(models_folder, port=0, rest_port=0) as server,
        Client(f"localhost:{server.port}") as client,
        grpc.insecure_channel(f"localhost:{server.port}") as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield {
            "training": by_sets(by_training),
            "embed": by_sets(functools.partial(embed, embedder)),
            "exported graph": by_graph,
            "gRPC": by_grpc,
            "REST": by_rest,
            "client": by_client,
        }


@pytest.fixture(scope="module")
def answered(ways):
    """Function from a way and a file to an embedding or a reason. All files are asked at once."""
    files = [case.content for case in CASES.values()] + [case.plain for case in CASES.values()]
    files = list(
        dict.fromkeys([*filter(None, files), *PLAIN, *(file for file, _ in REFUSED.values())])
    )
    files.append(b"")
    answers = {way: dict(zip(files, ask(files), strict=True)) for way, ask in ways.items()}
    return lambda way, file: answers[way][file]


@pytest.mark.parametrize("name", CASES)
def test_every_way_takes_an_odd_photograph_as_the_plain_one(answered, name):
    case = CASES[name]
    for way in WAYS:
        given = answered(way, case.content)
        if case.rare and way in SERVERS:
            assert given == MESSAGES[UNSUPPORTED], way
            continue
        assert not isinstance(given, str), f"{way}: {given}"
        expected = (
            answered("embed", case.content) if case.plain is None else answered(way, case.plain)
        )
        np.testing.assert_allclose(given, expected, atol=1e-5, err_msg=way)


@pytest.mark.parametrize("name", REFUSED)
def test_every_way_refuses_with_the_same_words(answered, name):
    file, reason = REFUSED[name]
    assert {way: answered(way, file) for way in WAYS} == dict.fromkeys(WAYS, reason)


def test_every_way_tells_the_orientations_apart(answered):
    for way in WAYS:
        given = [answered(way, file) for file in PLAIN]
        expected = [answered("embed", file) for file in PLAIN]
        np.testing.assert_allclose(given, expected, atol=1e-5, err_msg=way)
        for number, one in enumerate(given):
            assert all(np.abs(one - other).max() > 0.01 for other in given[:number]), way
