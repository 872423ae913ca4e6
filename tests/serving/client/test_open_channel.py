import pathlib
import shutil
import subprocess

import grpc
import pytest

from nfl_keras.errors import UserError
from nfl_keras.serving import Client

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = nfl_keras test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = CA:FALSE
subjectAltName = DNS:localhost
[elsewhere]
basicConstraints = CA:FALSE
subjectAltName = DNS:serving.test
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
"""


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A folder with two authorities, and certificates that the first one signed."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by the openssl command, which is not installed")
    folder = tmp_path_factory.mktemp("pem")
    (folder / "openssl.cnf").write_text(CONFIGURATION)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("authority", "other"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        own = ["-config", "openssl.cnf", "-x509", "-extensions", "authority", "-days", "2"]
        openssl("req", *new_key, *files, *own)
    for name in ("server", "elsewhere", "client"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl("req", *new_key, *files, "-config", "openssl.cnf")
        signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"]
        extensions = ["-extfile", "openssl.cnf", "-extensions", name, "-days", "2"]
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed, *extensions)
    return folder


@pytest.fixture
def start_tls(start, pem):
    """Function that starts the fake server behind TLS, and gives its port."""

    def start_server(name="server", mutual=False):
        pair = [(pem / f"{name}{suffix}").read_bytes() for suffix in (".key", ".pem")]
        authority = (pem / "authority.pem").read_bytes() if mutual else None
        credentials = grpc.ssl_server_credentials([tuple(pair)], authority, mutual)
        return start(credentials=credentials)

    return start_server


def refusal(client, content):
    with pytest.raises(UserError) as raised:
        client.embed(content)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_tls(start_tls, connect, pem, photographs, fingerprint):
    (content,) = photographs(1)
    client = connect(start_tls(), certificate_authority=pem / "authority.pem")
    assert (client.embed(content).embeddings == fingerprint(content)).all()


@pytest.mark.parametrize(
    "arguments",
    [{}, {"tls": True}, {"certificate_authority": "other.pem"}],
    ids=["in the clear", "the machine's authorities", "another authority"],
)
def test_tls_without_trust_is_no_connection(arguments, start_tls, connect, pem, photographs):
    given = {key: pem / value if key != "tls" else value for key, value in arguments.items()}
    client = connect(start_tls(), attempts=2, **given)
    assert "cannot be reached" in refusal(client, photographs(1))


def test_the_certificate_must_name_the_server(start_tls, connect, pem, photographs):
    port = start_tls("elsewhere")
    trust = {"certificate_authority": pem / "authority.pem", "attempts": 2}
    assert "cannot be reached" in refusal(connect(port, **trust), photographs(1))
    client = connect(port, server_name="serving.test", **trust)
    assert client.embed(photographs(1)).failed == {}


def test_mutual_tls(start_tls, connect, pem, photographs):
    port = start_tls(mutual=True)
    trust = {"certificate_authority": pem / "authority.pem", "attempts": 2}
    known = {"certificate": pem / "client.pem", "key": str(pem / "client.key")}
    assert connect(port, **trust, **known).embed(photographs(1)).failed == {}
    assert "cannot be reached" in refusal(connect(port, **trust), photographs(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"certificate_authority": "missing.pem"}, "authority .*missing.pem' cannot be read"),
        ({"certificate_authority": "openssl.cnf"}, "authority .*openssl.cnf' cannot be used"),
        ({"certificate": "client.pem"}, "certificate and key go together"),
        ({"key": "client.key"}, "certificate and key go together"),
        ({"certificate": "client.pem", "key": "server.key"}, "server.key' cannot be used"),
        ({"certificate": "client.pem", "key": "missing.key"}, "missing.key' cannot be read"),
        ({"certificate": "client.key", "key": "client.key"}, "client.key' cannot be used"),
    ],
)
def test_files_that_are_no_certificates_are_refused(arguments, message, pem):
    given = {name: pem / file for name, file in arguments.items()}
    with pytest.raises(UserError, match=message) as raised:
        Client("localhost:1", **given)
    assert "\n" not in str(raised.value)


def test_a_server_name_needs_tls():
    with pytest.raises(UserError, match="give tls=True"):
        Client("localhost:1", server_name="serving.test")


@pytest.mark.parametrize("address", ["localhost", "http://localhost:8501", "https://a:1", ""])
def test_an_address_is_host_and_port(address):
    with pytest.raises(UserError, match=f"HOST:PORT, such as 'localhost:8500', not '{address}'"):
        Client(address)


def test_a_file_that_vanishes_is_not_asked_for_twice(
    start_tls, connect, pem, tmp_path, photographs
):
    authority = pathlib.Path(shutil.copy(pem / "authority.pem", tmp_path))
    client = connect(start_tls(), certificate_authority=authority)
    authority.unlink()
    assert client.embed(photographs(1)).failed == {}
