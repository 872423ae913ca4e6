"""The REST routes, by curl and by sockets."""

import base64
import gzip
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
import tracemalloc
import zlib

import numpy as np
import pytest

from nfl_keras.serving import Limits, Server
from nfl_keras.serving.server.inflate import inflate
from nfl_keras.serving.server.loaded_model import LoadedModel
from nfl_keras.serving.server.serving_error import ServingError

PREDICT = "/v1/models/tiny:predict"
CURL = ("curl", "--noproxy", "*", "-sS")


@pytest.fixture
def ask(served):
    """Function that sends one request; status code and JSON or text come back."""

    def send(method, path, body=None, headers=None, port=None):
        connection = http.client.HTTPConnection("localhost", port or served.rest_port, timeout=20)
        content = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, content, headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = response.getheader("Content-Type") == "application/json"
        return response.status, json.loads(text) if is_json else text

    return send


def test_curl_gets_an_answer(served):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    body = json.dumps({"instances": [{"b64": base64.b64encode(b"\xff\xd8\xff").decode()}]})
    finished = subprocess.run(
        [*CURL, "--fail", "-d", body, f"http://localhost:{served.rest_port}{PREDICT}"],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {"predictions": [{"embedding": [6.0, 6.0, 6.0], "status": 0}]}
    assert json.loads(finished.stdout) == expected


def test_curl_is_told_of_a_body_too_large(served, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    (tmp_path / "body").write_bytes(bytes(5 * 2**20))
    url = f"http://localhost:{served.rest_port}{PREDICT}"
    finished = subprocess.run(
        [*CURL, "--data-binary", f"@{tmp_path}/body", "-w", "%{http_code}", url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.endswith("429")
    assert "larger than max (1048576)" in finished.stdout


@pytest.mark.parametrize(
    "path", [PREDICT, "/v1/models/tiny/versions/2:predict", "/V1/models/t%69ny:predict"]
)
def test_columns_and_rows_are_answered(path, ask):
    pixels = np.full((2, 4, 4, 3), 5).tolist()
    body = {"signature_name": "embed_tensor", "inputs": {"pixels": pixels}}
    assert ask("POST", path, body) == (200, {"outputs": [[10.0] * 3] * 2})
    body = {"signature_name": "embed_tensor", "instances": pixels}
    assert ask("POST", path, body) == (200, {"predictions": [[10.0] * 3] * 2})


def test_status_and_metadata(ask):
    code, status = ask("GET", "/v1/models/tiny")
    assert code == 200
    assert status["model_version_status"] == [
        {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]
    assert ask("GET", "/v1/models/tiny/versions/2") == (code, status)
    code, metadata = ask("GET", "/v1/models/tiny/metadata")
    assert code == 200
    assert metadata["model_spec"]["version"] == "2"
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["embed_tensor"]["inputs"]["pixels"]["dtype"] == "DT_FLOAT"


def test_metrics_are_on_tf_serving_s_path(ask):
    ask("POST", PREDICT, {"instances": ["a"]})
    ask("POST", "/v1/models/tiny/versions/77:predict", {"instances": ["a"]})
    ask("POST", "/v1/models/whatever:predict", {"instances": ["a"]})
    code, text = ask("GET", "/monitoring/prometheus/metrics")
    assert code == 200
    assert ':tensorflow:serving:request_count{model_name="tiny",status="OK"}' in text
    assert "whatever" not in text


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        ("POST", "/v1/models/x:predict", {"instances": ["a"]}, 404, "Latest(x)"),
        ("POST", "/v1/models/tiny/versions/9:predict", {"instances": ["a"]}, 404, "Specific"),
        ("POST", "/v1/models/tiny/labels/b:predict", {"instances": ["a"]}, 400, "label: b"),
        ("POST", f"/v1/models/tiny/versions/{'9' * 30}:predict", {}, 400, "Failed to convert"),
        ("POST", PREDICT, b"", 400, "JSON Parse error"),
        ("POST", PREDICT, b"[" * 200_000, 400, "JSON Parse error"),
        ("POST", PREDICT, {"instances": []}, 400, "at least one"),
        ("POST", PREDICT, {"instances": [1]}, 400, "images"),
        ("POST", PREDICT, {"instances": ["a"], "signature_name": "no"}, 400, '"no" not found'),
        ("POST", PREDICT, {"instances": ["a"] * 101}, 429, "101 rows"),
        ("POST", PREDICT, bytes(2**20 + 1), 429, "larger than max"),
        ("POST", "/v1/models/tiny:regress", {}, 501, "regress"),
        ("POST", "/v1/models/tiny", {}, 400, "Malformed request: POST"),
        ("GET", PREDICT, None, 400, "Malformed request: GET"),
        ("GET", "/v1/models/x", None, 404, "any versions of model x"),
        ("GET", "/v1/models/tiny/versions/9", None, 404, "version 9"),
        ("GET", "/v1/", None, 400, "Malformed"),
        ("GET", "/", None, 404, "Not Found"),
        ("DELETE", "/v1/models/tiny", None, 501, "DELETE"),
    ],
)
def test_what_cannot_be_answered_is_said_in_json(method, path, body, code, words, ask):
    found, answer = ask(method, path, body)
    assert found == code
    assert words in answer["error"]


def _raw(port, content):
    with socket.create_connection(("localhost", port), timeout=20) as connection:
        connection.sendall(content)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    "content",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /v1/models/tiny HTTP/1.1\r\n\r\n",
        b"GET /v1/models/tiny HTTP/9.9\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n",
        b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
    ],
)
def test_what_is_no_http_of_ours_is_refused(content, served, ask):
    answer = _raw(served.rest_port, content)
    assert b" 200 " not in answer
    assert answer == b"" or b"error" in answer
    assert ask("POST", PREDICT, {"instances": ["a"]})[0] == 200


def test_a_connection_is_kept_for_more_requests(served):
    connection = http.client.HTTPConnection("localhost", served.rest_port, timeout=20)
    seconds = []
    for _ in range(20):
        start = time.monotonic()
        connection.request("POST", PREDICT, '{"instances": ["abc"]}')
        assert json.loads(connection.getresponse().read())["predictions"][0]["status"] == 1
        seconds.append(time.monotonic() - start)
    connection.close()
    assert min(seconds[1:]) < 0.03  # 0.04 and more where answers wait for a delayed ACK


def _chunked(*pieces):
    head = (
        b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b"")]
    return head + b"".join(chunks)


def test_a_chunked_body_is_read_within_the_limit(served):
    answer = _raw(served.rest_port, _chunked(b'{"instances"', b': ["abc"]}'))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"status": 1' in answer
    answer = _raw(served.rest_port, _chunked(bytes(2**20), bytes(2**20)))
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"larger than max (1048576)" in answer


BODY = b'{"instances": ["abc"]}'
ZIPPED = gzip.compress(BODY, mtime=0)


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip"])
def test_a_gzipped_body_is_inflated(name, is_chunked, ask):
    body = iter([ZIPPED[:7], ZIPPED[7:]]) if is_chunked else ZIPPED
    code, answer = ask("POST", PREDICT, body, {"Content-Encoding": name})
    assert code == 200
    assert answer["predictions"][0]["embedding"] == [6.0] * 3


def test_a_gzipped_body_may_inflate_to_the_limit(ask):
    body = gzip.compress(BODY.ljust(2**20))
    assert ask("POST", PREDICT, body, {"Content-Encoding": "gzip"})[0] == 200


@pytest.mark.parametrize(
    ("encoding", "body", "code", "words"),
    [
        ("gzip", gzip.compress(BODY.ljust(2**20 + 1), mtime=0), 429, "larger than max (1048576)"),
        ("gzip", gzip.compress(bytes(2**26), mtime=0), 429, "larger than max (1048576)"),
        ("gzip", bytes(2**20 + 1), 429, "larger than max (1048576)"),
        ("gzip", BODY, 400, "no gzip"),
        ("gzip", b"", 400, "cut short"),
        ("gzip", ZIPPED[:-1], 400, "cut short"),
        ("gzip", ZIPPED + b"x", 400, "bytes follow"),
        ("gzip", ZIPPED[:-8] + bytes(8), 400, "incorrect data check"),
        ("gzip", zlib.compress(BODY), 400, "no gzip"),
        ("gzip", gzip.compress(ZIPPED, mtime=0), 400, "JSON Parse error"),
        ("deflate", zlib.compress(BODY), 415, "Unsupported Content-Encoding ('deflate')"),
        ("br", BODY, 415, "send gzip, or none"),
        ("gzip, gzip", gzip.compress(ZIPPED, mtime=0), 415, "Unsupported Content-Encoding"),
        ("identity", BODY, 200, ""),
    ],
)
def test_encodings_of_bodies(encoding, body, code, words, ask):
    found, answer = ask("POST", PREDICT, body, {"Content-Encoding": encoding})
    assert found == code
    assert words in answer.get("error", "")


def test_a_bomb_takes_no_more_memory_than_the_limit():
    bomb = gzip.compress(bytes(2**28))
    tracemalloc.start()
    with pytest.raises(ServingError, match="larger than max"):
        inflate(bomb, 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_curl_sends_line_ends_gzip_and_chunks(served, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    encoded = base64.encodebytes(b"\xff" * 100).decode()
    document = json.dumps({"instances": [{"b64": encoded}]}).encode()
    (tmp_path / "body").write_bytes(gzip.compress(document, mtime=0))
    headers = ["-H", "Content-Encoding: gzip", "-H", "Transfer-Encoding: chunked"]
    url = f"http://localhost:{served.rest_port}{PREDICT}"
    finished = subprocess.run(
        [*CURL, *headers, "--data-binary", f"@{tmp_path}/body", url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(finished.stdout)["predictions"][0]["embedding"] == [200.0] * 3


def test_an_answer_before_the_body_is_read_is_not_lost_when_the_client_closes(served, ask):
    for _ in range(5):
        code, answer = ask("POST", PREDICT, bytes(5 * 2**20), {"Connection": "close"})
        assert code == 429
        assert "larger than max" in answer["error"]


@pytest.fixture
def start(tmp_path, install_warm):
    """Function from seconds to a server of one prediction and two connections at a time."""
    servers = []

    def begin(seconds):
        limits = Limits(max_concurrent_requests=1, max_request_seconds=seconds)
        base = install_warm(tmp_path / "tiny", 1).parent
        servers.append(Server(base, port=0, rest_port=0, limits=limits).start())
        return servers[-1]

    yield begin
    for server in servers:
        server.stop(grace=0)


def test_a_slow_body_is_given_up(start, ask):
    small = start(seconds=2)
    head = b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("localhost", small.rest_port), timeout=20) as connection:
        connection.sendall(head)
        answer = b""
        while b" 504 " not in answer:
            connection.sendall(b" ")
            answer += _what_has_come(connection)
    assert ask("POST", PREDICT, {"instances": ["a"]}, port=small.rest_port)[0] == 200


def _what_has_come(connection):
    connection.settimeout(0.1)
    try:
        return connection.recv(65536)
    except TimeoutError:
        return b""


def test_requests_under_way_are_answered_when_it_stops(start, ask, monkeypatch):
    small = start(seconds=30)
    entered, answers = threading.Event(), []
    run = LoadedModel.run

    def waiting(self, *arguments):
        entered.set()
        time.sleep(0.5)
        return run(self, *arguments)

    monkeypatch.setattr(LoadedModel, "run", waiting)
    body = {"instances": ["a"]}
    idle = http.client.HTTPConnection("localhost", small.rest_port, timeout=20)
    idle.request("GET", "/v1/models/tiny")
    assert idle.getresponse().read()
    asking = threading.Thread(
        target=lambda: answers.append(ask("POST", PREDICT, body, port=small.rest_port))
    )
    asking.start()
    assert entered.wait(20)
    small.stop(grace=20)
    asking.join()
    assert answers[0][0] == 200
    with pytest.raises(ConnectionRefusedError):
        ask("POST", PREDICT, body, port=small.rest_port)
    assert idle.sock.recv(1) == b""
    idle.close()


def test_connections_and_predictions_beyond_the_limits_are_refused(start, ask, monkeypatch):
    small = start(seconds=5)
    entered, released = threading.Event(), threading.Event()
    run = LoadedModel.run

    def waiting(self, *arguments):
        entered.set()
        released.wait(20)
        return run(self, *arguments)

    monkeypatch.setattr(LoadedModel, "run", waiting)
    answers = []
    first = threading.Thread(
        target=lambda: answers.append(
            ask("POST", PREDICT, {"instances": ["a"]}, port=small.rest_port)
        )
    )
    first.start()
    assert entered.wait(20)
    refused = ask("POST", PREDICT, {"instances": ["a"]}, port=small.rest_port)
    assert refused[0] == 429
    assert "1 predictions" in refused[1]["error"]
    idle = http.client.HTTPConnection("localhost", small.rest_port, timeout=20)
    code = None
    while code != 200:
        # The server learns a moment later that the connection before was closed.
        idle.close()
        idle.request("GET", "/v1/models/tiny")
        answer = idle.getresponse()
        code = answer.status
        answer.read()
    assert b"429" in _raw(small.rest_port, b"GET / HTTP/1.1\r\n\r\n")
    idle.close()
    first.join()
    assert answers[0][0] == 504
    _, text = ask("GET", "/monitoring/prometheus/metrics", port=small.rest_port)
    count = ':tensorflow:serving:request_count{model_name="unknown",status="RESOURCE_EXHAUSTED"} '
    assert f"{count}1\n" in text
    released.set()
    code = None
    while code != 200:
        code = ask("POST", PREDICT, {"instances": ["a"]}, port=small.rest_port)[0]
