"""A client in a process that was forked, really forked."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from nfl_keras.errors import UserError

SECONDS = 20


@pytest.fixture(params=["os.fork", "multiprocessing"])
def in_a_child(request):
    """Function that calls a function in a forked process, and gives the text that it returns."""

    def by_fork(function):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(writing, function().encode())
            finally:
                os._exit(0)
        os.close(writing)
        guard = threading.Timer(SECONDS, os.kill, (child, signal.SIGKILL))
        guard.start()
        with open(reading) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        guard.cancel()
        return text

    def by_multiprocessing(function):
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        process = context.Process(target=lambda: answers.put(function()))
        process.start()
        process.join(SECONDS)
        process.kill()
        return "" if answers.empty() else answers.get()

    return by_fork if request.param == "os.fork" else by_multiprocessing


def told(client, contents):
    """What a client answers, in words."""
    try:
        return repr(client.embed(contents, deadline=10))
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("is_used", [False, True], ids=["not used before", "used before"])
def test_a_client_works_on_both_sides_of_a_fork(is_used, in_a_child, connect, photographs):
    contents = photographs(8)
    client = connect(batch_size=2)
    if is_used:
        client.embed(contents)
    expected = "EmbeddingResult(8 of 8 embedded, 4 dimensions)"
    assert in_a_child(lambda: told(client, contents)) == expected
    assert in_a_child(lambda: in_a_child(lambda: told(client, contents))) == expected
    assert told(client, contents) == expected


def test_parent_and_child_use_a_client_at_the_same_time(
    in_a_child, connect, photographs, fingerprint
):
    contents = photographs(16)
    client = connect(batch_size=2)
    client.embed(contents)
    expected = [fingerprint(content) for content in contents]
    answers = []
    forked, begun = os.pipe()

    def embed_often():
        os.write(begun, b"!")
        results = [client.embed(contents) for _ in range(10)]
        return str(all((result.embeddings == expected).all() for result in results))

    child = threading.Thread(target=lambda: answers.append(in_a_child(embed_often)))
    child.start()
    os.read(forked, 1)
    while child.is_alive():
        assert (client.embed(contents).embeddings == expected).all()
    assert answers == ["True"]
    os.close(forked)
    os.close(begun)


def test_a_fork_amid_requests_is_told_at_once(in_a_child, connect, serving, photographs):
    released = threading.Event()
    serving.before = lambda number: released.wait(10)
    contents = photographs(2)
    client = connect()
    embedding = threading.Thread(target=client.embed, args=(contents,))
    embedding.start()
    while not serving.requests:
        time.sleep(0.01)
    begin = time.monotonic()
    message = in_a_child(lambda: told(client, contents))
    assert time.monotonic() - begin < 5
    released.set()
    embedding.join()
    assert "\n" not in message
    assert message.startswith("requests were under way when process ")
    assert message.endswith("start processes by 'spawn' or 'forkserver'.")
    assert told(client, contents).startswith("EmbeddingResult(2 of 2")
