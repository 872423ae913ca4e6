import collections
import concurrent.futures
import io
import os
import re
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.errors import UserError
from nfl_keras.servable.status import DAMAGED, MESSAGES, TOO_LARGE
from nfl_keras.serving import Client, EmbeddingResult

UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "not yet")
BUSY = (grpc.StatusCode.RESOURCE_EXHAUSTED, "64 requests are under way already; try again.")


@pytest.fixture
def one_line():
    """Function that gives the message of a `UserError`, which must be one line."""

    def message_of(call):
        with pytest.raises(UserError) as raised:
            call()
        message = str(raised.value)
        assert "\n" not in message
        assert message.endswith(".")
        return message

    return message_of


# ---- what is given, and what comes back ----


def test_order_is_kept_over_batches_that_overtake_each_other(
    connect, serving, photographs, fingerprint
):
    contents = photographs(50)
    serving.before = lambda number: time.sleep(0.1 if number in (0, 3) else 0)
    result = connect(batch_size=7, in_flight=3).embed(contents)
    assert isinstance(result, EmbeddingResult)
    assert result.embeddings.dtype == np.float32
    assert np.array_equal(result.embeddings, [fingerprint(content) for content in contents])
    assert result.failed == {}
    assert result.versions == (3,)
    assert sorted(len(request.inputs["images"].string_val) for request in serving.requests) == (
        [1, *[7] * 7]
    )


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "memoryview", "array", "picture"])
def test_one_image_of_each_kind(kind, connect, serving, photographs, fingerprint, tmp_path):
    (content,) = photographs(1)
    picture = Image.open(io.BytesIO(content))
    (tmp_path / "a.png").write_bytes(content)
    given = {
        "path": tmp_path / "a.png",
        "text": str(tmp_path / "a.png"),
        "bytes": content,
        "memoryview": memoryview(content),
        "array": np.asarray(picture),
        "picture": picture,
    }[kind]
    result = connect().embed(given)
    (arrived,) = serving.arrived
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(arrived))), np.asarray(picture))
    assert np.array_equal(result.embeddings, [fingerprint(arrived)])
    assert (arrived == content) == (kind not in ("array", "picture"))


@pytest.mark.parametrize("kind", ["generator", "array", "tensor", "deque"])
def test_many_images_of_each_kind(kind, connect, serving, photographs):
    pictures = [np.asarray(Image.open(io.BytesIO(content))) for content in photographs(5)]
    given = {
        "generator": (picture for picture in pictures),
        "array": np.stack(pictures),
        "tensor": tf.constant(np.stack(pictures)),
        "deque": collections.deque(pictures),
    }[kind]
    result = connect(batch_size=2, in_flight=1).embed(given)
    assert len(result) == 5
    arrived = [np.asarray(Image.open(io.BytesIO(content))) for content in serving.arrived]
    assert np.array_equal(arrived, pictures)


def test_no_images_give_no_embeddings_of_the_served_width(connect, serving):
    result = connect().embed([])
    assert result.embeddings.shape == (0, 4)
    assert result.embeddings.dtype == np.float32
    assert result.failed == {}
    assert serving.requests == []


def test_what_is_no_image_at_all_is_refused(connect, serving, one_line):
    assert "not int" in one_line(lambda: connect().embed(3))
    assert serving.requests == []


@pytest.mark.parametrize(("crops", "signature"), [(3, "serving_default"), (1, "embed_center")])
def test_crops_choose_the_signature(crops, signature, connect, serving, photographs):
    connect().embed(photographs(1), crops=crops)
    (request,) = serving.requests
    assert request.model_spec.signature_name == signature
    assert list(request.output_filter) == ["embedding", "status"]


def test_other_crops_are_refused(connect, one_line):
    assert "crops must be 3 or 1, not 2" in one_line(lambda: connect().embed([], crops=2))


def test_the_model_and_its_version_are_asked_for(connect, serving, photographs):
    port = connect().address.rpartition(":")[2]
    serving.models = {"birds"}
    for version in (None, 7, "stable"):
        connect(port, model="birds", version=version).embed(photographs(1))
    none, number, label = (request.model_spec for request in serving.requests)
    assert {none.name, number.name, label.name} == {"birds"}
    assert none.WhichOneof("version_choice") is None
    assert number.version.value == 7
    assert label.version_label == "stable"


def test_versions_that_answered_are_told(connect, serving, photographs):
    def next_version(response):
        serving.version += 1
        return response

    serving.change = next_version
    assert connect(batch_size=1, in_flight=1).embed(photographs(3)).versions == (3, 4, 5)


def test_the_result_tells_itself():
    embeddings = np.zeros((1000, 8), np.float32)
    assert repr(EmbeddingResult(embeddings, {})) == (
        "EmbeddingResult(1,000 of 1,000 embedded, 8 dimensions)"
    )
    failed = EmbeddingResult(embeddings, {3: "zero bytes", 5: "not an image"})
    assert repr(failed) == (
        "EmbeddingResult(998 of 1,000 embedded, 8 dimensions; 2 failed: 3 (zero bytes), ...)"
    )
    assert np.flatnonzero(~failed.ok).tolist() == [3, 5]


# ---- bad images ----


def test_bad_images_fail_alone_and_unreadable_ones_are_not_sent(
    connect, serving, photographs, fingerprint, tmp_path
):
    good = photographs(6)
    serving.codes = {good[4]: DAMAGED, good[5]: TOO_LARGE}
    (tmp_path / "text.jpg").write_text("no photograph")
    given = {
        tmp_path / "missing.jpg": "cannot be read (No such file or directory)",
        good[0]: None,
        tmp_path: "cannot be read (Is a directory)",
        tmp_path / "text.jpg": "not an image",
        good[1]: None,
        b"": "zero bytes",
        good[4]: MESSAGES[DAMAGED],
        good[2]: None,
        "null\0character.jpg": "cannot be read (embedded null byte)",
        4: "int is neither a path, bytes, an array nor a PIL image",
        good[5]: MESSAGES[TOO_LARGE],
        good[3]: None,
    }
    result = connect(batch_size=5).embed(list(given))
    expected = {index: reason for index, reason in enumerate(given.values()) if reason}
    assert result.failed == expected
    assert list(result.failed) == sorted(result.failed)
    for index, content in enumerate(given):
        row = np.zeros(4) if index in expected else fingerprint(content)
        assert np.array_equal(result.embeddings[index], row), index
    assert np.array_equal(result.ok, [reason is None for reason in given.values()])
    assert sorted(serving.arrived) == sorted(good)


def test_nothing_is_sent_where_nothing_can_be(connect, serving):
    result = connect().embed([b"", b"no photograph"])
    assert result.embeddings.shape == (2, 4)
    assert result.failed == {0: "zero bytes", 1: "not an image"}
    assert serving.requests == []


def test_an_unknown_status_is_told(connect, serving, photographs):
    good = photographs(2)
    serving.codes = {good[1]: 77}
    assert connect().embed(good).failed == {1: "status 77"}


# ---- requests ----


def test_requests_keep_to_their_bytes(connect, serving, photographs, fingerprint):
    small, large = photographs(20, side=20), photographs(1, side=60)[0]
    contents = [*small[:10], large, *small[10:]]
    most = 4 * max(map(len, small))
    assert len(large) > most
    result = connect(batch_size=21, request_bytes=most).embed(contents)
    assert np.array_equal(result.embeddings, [fingerprint(content) for content in contents])
    sizes = [[len(c) for c in request.inputs["images"].string_val] for request in serving.requests]
    assert [len(large)] in sizes
    assert all(sum(group) <= most for group in sizes if group != [len(large)])
    assert len(sizes) <= 8


def test_several_requests_are_in_flight_and_no_more(connect, serving, photographs):
    together = threading.Barrier(3)
    under_way, most = set(), []

    def meet(number):
        under_way.add(number)
        most.append(len(under_way))
        together.wait(timeout=10)
        under_way.discard(number)

    serving.before = meet
    result = connect(batch_size=1, in_flight=3).embed(photographs(12))
    assert result.failed == {}
    assert max(most) == 3


def test_images_are_taken_when_their_turn_comes(connect, serving, photographs):
    taken, taken_at_first = [], []

    def images():
        for content in photographs(50):
            taken.append(content)
            yield content

    def look(number):
        if number == 0:
            time.sleep(0.2)
            taken_at_first.append(len(taken))

    serving.before = look
    assert connect(batch_size=1, in_flight=1).embed(images()).failed == {}
    assert len(taken) == 50
    assert taken_at_first[0] <= 3


def test_threads_share_a_client(connect, photographs, fingerprint):
    client = connect(batch_size=2)
    contents = photographs(16)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(client.embed, [contents[i:] for i in range(8)]))
    for start, result in enumerate(results):
        assert np.array_equal(result.embeddings, [fingerprint(c) for c in contents[start:]])


def test_a_message_too_large_for_the_server_is_halved(
    connect, start, serving, photographs, fingerprint
):
    small, large = photographs(16, side=20), photographs(1, side=80)[0]
    most = 5 * max(map(len, small))
    assert len(large) > most
    port = start(options=[("grpc.max_receive_message_length", most)])
    contents = [*small[:8], large, *small[8:]]
    result = connect(port, batch_size=17).embed(contents)
    assert list(result.failed) == [8]
    assert re.match("RESOURCE_EXHAUSTED: .*larger than max", result.failed[8])
    rows = np.delete(result.embeddings, 8, axis=0)
    assert np.array_equal(rows, [fingerprint(content) for content in small])
    assert sorted(serving.arrived) == sorted(small)


# ---- retries and their end ----


@pytest.mark.parametrize("refusal", [UNAVAILABLE, BUSY], ids=["unavailable", "busy"])
def test_refused_requests_are_sent_again(refusal, connect, serving, photographs, fingerprint):
    contents = photographs(3)
    serving.refusals = [refusal] * 4
    result = connect().embed(contents)
    assert np.array_equal(result.embeddings, [fingerprint(content) for content in contents])
    assert len(serving.requests) == 5
    assert len(set(map(str, serving.requests))) == 1


@pytest.mark.parametrize("attempts", [1, 3])
def test_retries_end(attempts, connect, serving, photographs, one_line):
    serving.refuses_from = 0
    message = one_line(lambda: connect(attempts=attempts).embed(photographs(2)))
    assert "cannot be reached (gone)" in message
    assert len(serving.requests) == attempts


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "INTERNAL", "UNAUTHENTICATED", "ABORTED"])
def test_other_refusals_are_final(code, connect, serving, photographs, one_line):
    serving.refusals = [(grpc.StatusCode[code], "because\nof that")]
    message = one_line(lambda: connect().embed(photographs(1)))
    assert f"does not embed with the model 'embedder' ({code}: because of that)" in message
    assert len(serving.requests) == 1


def test_what_was_embedded_before_the_server_went_is_kept(
    connect, serving, photographs, fingerprint
):
    contents = photographs(20)
    serving.refuses_from = 3
    client = connect(batch_size=2, in_flight=1, attempts=2)
    result = client.embed(contents)
    assert result.failed == dict.fromkeys(range(6, 20), "UNAVAILABLE: gone")
    assert np.array_equal(result.embeddings[:6], [fingerprint(c) for c in contents[:6]])
    assert not result.embeddings[6:].any()
    assert len(serving.requests) == 3 + 2


def test_no_file_is_read_for_a_server_that_is_gone(connect, serving, photographs, tmp_path):
    read = []

    class Counted(os.PathLike):
        def __fspath__(self):
            read.append(self)
            return str(tmp_path / "a.png")

    (tmp_path / "a.png").write_bytes(photographs(1)[0])
    serving.refuses_from = 1
    client = connect(batch_size=1, in_flight=1, attempts=1)
    result = client.embed([Counted() for _ in range(20)])
    assert len(result.failed) == 19
    assert len(set(map(id, read))) == 2


def test_a_server_that_is_just_starting_is_waited_for(connect, start, photographs):
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(port, backoff=0.2)
    starting = threading.Timer(0.3, start, [f"localhost:{port}"])
    starting.start()
    assert client.embed(photographs(1)).failed == {}
    starting.join()


def test_a_server_that_is_back_is_found_within_half_a_second(connect, start, photographs):
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(port, attempts=1)
    with pytest.raises(UserError, match="cannot be reached"):
        client.embed(photographs(1))
    start(f"localhost:{port}")
    time.sleep(0.5)
    assert client.embed(photographs(1)).failed == {}


def test_an_error_of_the_caller_ends_requests_that_are_under_way(connect, serving, photographs):
    released = threading.Event()
    serving.before = lambda number: released.wait(10)
    contents = photographs(3)

    def images():
        yield from contents
        while not serving.requests:
            time.sleep(0.01)
        raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        connect(batch_size=3).embed(images())
    released.set()
    assert time.monotonic() - begin < 5


# ---- deadlines ----


@pytest.mark.parametrize("limit", ["deadline", "timeout"])
def test_a_server_that_hangs_is_not_waited_for(limit, connect, serving, photographs, one_line):
    released = threading.Event()
    serving.before = lambda number: released.wait(10)
    client = connect(timeout=1 if limit == "timeout" else 20)
    deadline = 1 if limit == "deadline" else None
    client.embed([])
    begin = time.monotonic()
    message = one_line(lambda: client.embed(photographs(2), deadline=deadline))
    taken = time.monotonic() - begin
    released.set()
    assert "no answer within 1 seconds" in message
    assert 0.9 < taken < 8


def test_the_deadline_holds_over_requests_and_keeps_what_came_in_time(
    connect, serving, photographs, fingerprint
):
    contents = photographs(100)
    serving.before = lambda number: time.sleep(0.1)
    client = connect(batch_size=1, in_flight=1)
    client.embed([])
    begin = time.monotonic()
    result = client.embed(contents, deadline=2)
    assert time.monotonic() - begin < 5
    count = np.flatnonzero(~result.ok)[0]
    assert 1 <= count <= 20
    assert not result.ok[count:].any()
    assert set(result.failed.values()) == {"DEADLINE_EXCEEDED: no answer within 2 seconds"}
    assert np.array_equal(result.embeddings[:count], [fingerprint(c) for c in contents[:count]])


# ---- what the server has not got ----


def test_no_server(one_line):
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"localhost:{port}", attempts=2, backoff=0.01) as client:
        message = one_line(lambda: client.embed(b"anything"))
    assert message.startswith(f"the server at localhost:{port} cannot be reached (")
    assert "refused" in message


def test_no_such_model(connect, one_line, photographs):
    message = one_line(lambda: connect(model="birds").embed(photographs(1)))
    assert "has no model 'birds'" in message
    assert "Latest(birds)" in message


def test_no_such_signature(connect, serving, one_line, photographs):
    del serving.signatures["embed_center"]
    client = connect()
    message = one_line(lambda: client.embed(photographs(1), crops=1))
    assert "no signature 'embed_center' (it has: embed_tensor, serving_default)" in message
    assert client.embed(photographs(1)).failed == {}


@pytest.mark.parametrize(("part", "name"), [("inputs", "images"), ("outputs", "status")])
def test_a_signature_that_lacks_a_part(part, name, connect, serving, one_line, photographs):
    del getattr(serving.signatures["serving_default"], part)[name]
    message = one_line(lambda: connect().embed(photographs(1)))
    assert "'serving_default' of the model 'embedder' at localhost:" in message
    assert f" lacks {name}; " in message


def test_the_model_is_looked_at_once(connect, serving, photographs):
    client = connect()
    for _ in range(3):
        client.embed(photographs(2))
    assert serving.metadata_requests == 1


@pytest.mark.parametrize("fault", ["no status", "too few rows", "one vector", "broken"])
def test_an_answer_that_does_not_fit_is_refused(fault, connect, serving, one_line, photographs):
    def change(response):
        if fault == "no status":
            del response.outputs["status"]
        elif fault == "broken":
            response.outputs["embedding"].tensor_content = b"123"
        else:
            shape = (2, 4) if fault == "too few rows" else (3,)
            response.outputs["embedding"].CopyFrom(tf.make_tensor_proto(np.zeros(shape, "f4")))
        return response

    serving.change = change
    message = one_line(lambda: connect().embed(photographs(3)))
    assert "INTERNAL: the answer does not fit" in message


def test_embeddings_of_two_widths_are_refused(connect, serving, one_line, photographs):
    def change(response):
        if len(serving.requests) == 2:
            wider = np.zeros((1, 5), np.float32)
            response.outputs["embedding"].CopyFrom(tf.make_tensor_proto(wider))
            response.model_spec.version.value = 4
        return response

    serving.change = change
    client = connect(batch_size=1, in_flight=1)
    message = one_line(lambda: client.embed(photographs(3)))
    assert "4 and 5 dimensions" in message
    assert "versions (3, 4)" in message


# ---- pixels ----


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "bfloat16"])
def test_pixels_are_sent_as_they_are(dtype, connect, serving, fingerprint):
    values = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3))
    pixels = tf.cast(values, dtype).numpy()
    result = connect(batch_size=2, in_flight=1).embed_tensor(pixels)
    expected = pixels.astype(np.float32)
    for request in serving.requests:
        assert request.model_spec.signature_name == "embed_tensor"
        assert list(request.output_filter) == ["embedding"]
        assert request.inputs["pixels"].dtype == tf.float32.as_datatype_enum
    assert np.array_equal(result.embeddings, [fingerprint(row.tobytes()) for row in expected])
    sent = [tf.make_ndarray(request.inputs["pixels"]) for request in serving.requests]
    assert np.array_equal(np.concatenate(sent), expected)
    assert [len(group) for group in sent] == [2, 2, 1]


def test_pixels_keep_to_the_bytes_of_a_request(connect, serving):
    image_bytes = 4 * 8 * 8 * 3
    result = connect(request_bytes=3 * image_bytes).embed_tensor(np.zeros((10, 8, 8, 3), "uint8"))
    assert len(result) == 10
    assert [len(r.inputs["pixels"].tensor_content) // image_bytes for r in serving.requests] in (
        [1, 3, 3, 3],
        [3, 3, 3, 1],
    )


def test_one_image_of_pixels(connect):
    assert connect().embed_tensor(np.zeros((8, 8, 3), "uint8")).embeddings.shape == (1, 4)


def test_bad_pixels_fail_alone(connect):
    pixels = np.full((4, 8, 8, 3), 100.5, np.float32)
    pixels[1, 0, 0, 0] = np.nan
    pixels[2] /= 255
    result = connect().embed_tensor(pixels)
    assert result.failed == {
        1: "an array with values outside 0..255",
        2: "an array in 0..1, not in 0..255",
    }


def test_pixels_whose_embedding_has_no_direction_fail_alone(connect, serving):
    def without_second(response):
        embeddings = tf.make_ndarray(response.outputs["embedding"]).copy()
        embeddings[1] = 0
        response.outputs["embedding"].CopyFrom(tf.make_tensor_proto(embeddings))
        return response

    serving.change = without_second
    result = connect().embed_tensor(np.zeros((3, 8, 8, 3), "uint8"))
    assert result.failed == {1: "its embedding has no direction, since it is zero or not finite"}


@pytest.mark.parametrize("shape", [(2, 8, 9, 3), (2, 8, 8, 1), (8, 8), (1, 2, 8, 8, 3)])
def test_pixels_of_another_size_are_refused(shape, connect, serving, one_line):
    message = one_line(lambda: connect().embed_tensor(np.zeros(shape, np.uint8)))
    assert "must be of shape [N, 8, 8, 3], as the model 'embedder' takes them" in message
    assert serving.requests == []


# ---- the connection ----


def test_a_client_closes_its_connection(connect, start, one_line, photographs):
    port = start()
    with Client(f"localhost:{port}") as client:
        assert client.embed(photographs(1)).failed == {}
        (channel,) = client._channels.values()
    assert "is closed" in one_line(lambda: client.embed(photographs(1)))
    assert "is closed" in one_line(lambda: client.embed_tensor(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(ValueError, match="closed channel"):
        channel.unary_unary("/any/method")(b"")
    client.close()


def test_a_client_closes_when_its_block_ends_by_an_error(start):
    with pytest.raises(ZeroDivisionError), Client(f"localhost:{start()}") as client:
        1 / 0  # noqa: B018
    with pytest.raises(UserError, match="is closed"):
        client.embed([])


@pytest.mark.parametrize(
    "name", ["batch_size", "request_bytes", "in_flight", "attempts", "backoff", "timeout"]
)
def test_numbers_are_above_0(name, one_line):
    message = one_line(lambda: Client("localhost:1", **{name: 0}))
    assert message == f"{name} must be above 0, not 0."


# ---- progress ----


def test_progress_counts_the_images(connect, photographs, shown_lines):
    client = connect(batch_size=2)
    client.embed(photographs(5))
    assert shown_lines() == ["2 of 5 images embedded", "4 of 5 images embedded"]
    client.embed(content for content in photographs(5))
    assert shown_lines() == [f"{count} images embedded" for count in (2, 4, 5)]
    client.embed(photographs(5), show_progress=False)
    assert shown_lines() == []
