"""TLS, and mutual TLS, on both ports."""

import contextlib
import http.client
import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest
from grpc import StatusCode

from nfl_keras.errors import UserError
from nfl_keras.serving import Limits, Server, Tls

LIMITS = Limits()

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="openssl makes the certificates"
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Folder with ca, and server and client signed by it, each as `.crt` and `.key`."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in ("server", "client"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl("req", *key, "-subj", f"/CN={name}", *files)
        signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        extra = ["-extfile", "names", "-in", f"{name}.csr", "-out", f"{name}.crt"]
        openssl("x509", "-req", *signed, *extra)
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory, install, certificates):
    """Function from the name of a CA of clients, or None, to a running server."""
    servers = []

    def begin(client_ca, limits=LIMITS):
        base = tmp_path_factory.mktemp("models")
        install(base, 1)
        tls = Tls(certificates / "server.crt", certificates / "server.key", client_ca)
        servers.append(Server(base, port=0, rest_port=0, tls=tls, limits=limits).start())
        return servers[-1], base.name

    yield begin
    for server in servers:
        server.stop(grace=0)


@pytest.fixture(scope="module")
def one_way(start):
    return start(None)


@pytest.fixture(scope="module")
def mutual(start, certificates):
    return start(certificates / "ca.crt")


def _credentials(folder, client=None):
    read = lambda name: (folder / name).read_bytes()  # noqa: E731
    own = (read(f"{client}.key"), read(f"{client}.crt")) if client else (None, None)
    return grpc.ssl_channel_credentials(read("ca.crt"), *own)


def test_grpc_is_encrypted(one_way, connect, certificates, predict_request):
    server, name = one_way
    request = predict_request(name=name, images=[b"a"])
    stubs = connect(server.port, _credentials(certificates))
    assert stubs.Predict(request, timeout=20).outputs["status"].int_val == [1]
    plain = connect(server.port)
    assert plain.code(plain.Predict, request, timeout=5)[0] == StatusCode.UNAVAILABLE


def test_a_client_without_a_certificate_is_turned_away(
    mutual, connect, certificates, predict_request
):
    server, name = mutual
    request = predict_request(name=name, images=[b"a"])
    known = connect(server.port, _credentials(certificates, "client"))
    assert known.Predict(request, timeout=20).outputs["status"].int_val == [1]
    unknown = connect(server.port, _credentials(certificates))
    assert unknown.code(unknown.Predict, request, timeout=5)[0] == StatusCode.UNAVAILABLE


def _status(server, name, folder, client=None):
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    if client:
        context.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    address = ("localhost", server.rest_port)
    with contextlib.closing(
        http.client.HTTPSConnection(*address, timeout=20, context=context)
    ) as connection:
        connection.request("GET", f"/v1/models/{name}")
        return connection.getresponse().status


def test_rest_is_encrypted(one_way, certificates):
    assert _status(*one_way, certificates) == 200


def test_rest_turns_away_a_client_without_a_certificate(mutual, certificates):
    assert _status(*mutual, certificates, "client") == 200
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        _status(*mutual, certificates)


def test_a_handshake_that_stalls_keeps_nobody_else_waiting(one_way, certificates):
    with socket.create_connection(("localhost", one_way[0].rest_port)):
        start = time.monotonic()
        assert _status(*one_way, certificates) == 200
        assert time.monotonic() - start < 5


def test_handshakes_that_stall_are_bounded_in_number(start, certificates):
    server, name = start(None, Limits(max_concurrent_requests=1))
    address = ("localhost", server.rest_port)
    with contextlib.ExitStack() as stalled:
        for _ in range(4):
            stalled.enter_context(socket.create_connection(address))
        with socket.create_connection(address, timeout=20) as beyond:
            assert beyond.recv(1) == b""
    while True:
        # The server learns a moment later that they are gone.
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            assert _status(server, name, certificates) == 200
            break


def test_certificates_that_cannot_be_used_are_named(certificates, tmp_path):
    with pytest.raises(UserError, match=r"cannot be used: .*No such file.*nowhere\.crt"):
        Tls(pathlib.Path("nowhere.crt"), certificates / "server.key").load()
    (tmp_path / "bad").write_text("no key")
    with pytest.raises(UserError, match="cannot be used"):
        Tls(certificates / "server.crt", tmp_path / "bad").load()
