"""Proxies of the environment: which addresses they are for, and requests through a real one."""

import socket
import threading

import pytest

from nfl_keras.errors import UserError
from nfl_keras.serving.client.proxy import proxy_to


@pytest.fixture
def environment(monkeypatch):
    """Function that sets variables, where none of proxies is set before."""
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    return lambda **variables: [monkeypatch.setenv(*variable) for variable in variables.items()]


@pytest.mark.parametrize(
    "address",
    [
        *("localhost:8500", "LOCALHOST:8500", "127.0.0.1:8500", "127.8.8.8:1", "[::1]:8500"),
        *("dns:///localhost:8500", "dns://1.1.1.1/localhost:1", "dns:localhost:1"),
        *("ipv4:127.0.0.1:8500", "ipv6:[::1]:8500", "0.0.0.0:8500", "[::]:8500"),
        *("unix:socket", "unix:///run/socket", "unix-abstract:name", "vsock:1:2"),
    ],
)
def test_nothing_stands_before_this_machine(address, environment):
    environment(grpc_proxy="http://proxy:3128", https_proxy="http://p:1", http_proxy="http://p:2")
    assert proxy_to(address) is None


@pytest.mark.parametrize(
    "address",
    [
        *("serving.test:8500", "10.1.2.3:8500", "[2001:db8::1]:8500", "dns:///serving.test"),
        *("localhost.test:1", "128.0.0.1:1", "ipv6:[2001:db8::1]:1", "dns:/serving.test:1"),
    ],
)
def test_a_proxy_is_for_other_machines(address, environment):
    environment(https_proxy="http://proxy:3128")
    assert proxy_to(address) == "proxy:3128 (https_proxy)"


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"http_proxy": "http://a:1"}, "a:1 (http_proxy)"),
        ({"http_proxy": "http://a:1", "https_proxy": "http://b:2/"}, "b:2 (https_proxy)"),
        ({"https_proxy": "http://b:2", "grpc_proxy": "HTTP://c"}, "c (grpc_proxy)"),
        ({"https_proxy": "http://b:2", "grpc_proxy": ""}, None),
        ({"http_proxy": "http://user:pass@a:1"}, "a:1 (http_proxy)"),
        ({"http_proxy": "http://user:p@ss@a:1/?q"}, "a:1 (http_proxy)"),
        # gRPC reads neither of these.
        ({"http_proxy": "https://a:1"}, None),
        ({"http_proxy": "a:1"}, None),
        ({"http_proxy": "nonsense"}, None),
        ({"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://a:1"}, None),
        ({"all_proxy": "http://a:1", "ALL_PROXY": "socks5://a:1"}, None),
    ],
)
def test_the_proxy_is_the_one_that_grpc_takes(variables, proxy, environment):
    environment(**variables)
    assert proxy_to("serving.test:8500") == proxy


@pytest.mark.parametrize(
    ("exempt", "address", "is_direct"),
    [
        ({"no_proxy": "serving.test"}, "serving.test:1", True),
        ({"no_proxy": "other.test, .TEST"}, "Serving.test:1", True),
        ({"no_proxy": "other.test"}, "serving.test:1", False),
        ({"no_proxy": "10.0.0.0/8"}, "10.1.2.3:1", True),
        ({"no_proxy": "10.0.0.0/8"}, "11.1.2.3:1", False),
        ({"no_proxy": "2001:db8::/32"}, "[2001:db8::5]:1", True),
        ({"no_proxy": "*"}, "serving.test:1", True),
        ({"no_proxy": ""}, "serving.test:1", False),
        ({"NO_PROXY": "serving.test"}, "serving.test:1", True),
        ({"no_grpc_proxy": "serving.test"}, "serving.test:1", True),
    ],
)
def test_no_proxy_leaves_it_out(exempt, address, is_direct, environment):
    environment(http_proxy="http://proxy:3128", **exempt)
    assert (proxy_to(address) is None) == is_direct


@pytest.fixture
def proxy():
    """A proxy on this machine: its `host:port`, and the first lines of what it was asked.

    It connects whatever name it is asked for to that port of this machine.
    """
    asked = []
    listener = socket.create_server(("127.0.0.1", 0))

    def forward(source, target):
        try:
            while content := source.recv(65536):
                target.sendall(content)
        except OSError:
            pass
        finally:
            target.close()

    def accept():
        while True:
            try:
                inward, _ = listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += inward.recv(65536)
            asked.append(head.split(b"\r\n")[0].decode())
            port = int(asked[-1].split()[1].rpartition(":")[2])
            outward = socket.create_connection(("localhost", port))
            inward.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            for pair in ((inward, outward), (outward, inward)):
                threading.Thread(target=forward, args=pair, daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield "{}:{}".format(*listener.getsockname()), asked
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_requests_to_this_machine_pass_no_proxy(
    host, proxy, environment, start, connect, photographs
):
    server, asked = proxy
    variables = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environment(**dict.fromkeys(variables, f"http://{server}"))
    assert connect(start(f"{host}:0"), host=host).embed(photographs(1)).failed == {}
    assert asked == []


def test_requests_to_a_socket_of_unix_pass_no_proxy(
    environment, start, connect, photographs, tmp_path
):
    environment(grpc_proxy="http://127.0.0.1:9")
    address = f"unix:{tmp_path}/socket"
    start(address)
    host, _, port = address.rpartition(":")
    assert connect(port, host=host).embed(photographs(1)).failed == {}


def test_requests_to_another_machine_pass_the_proxy(
    proxy, environment, start, connect, photographs
):
    server, asked = proxy
    environment(http_proxy=f"http://{server}")
    port = start()
    assert connect(port, host="serving.test").embed(photographs(1)).failed == {}
    assert asked == [f"CONNECT serving.test:{port} HTTP/1.1"]


def _refusal(client, content):
    with pytest.raises(UserError) as raised:
        client.embed(content)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_error_names_the_proxy(environment, connect, photographs):
    environment(https_proxy="http://user:secret@127.0.0.1:9")
    client = connect(8500, host="serving.test", attempts=1)
    message = _refusal(client, photographs(1))
    assert "cannot be reached through the proxy 127.0.0.1:9 (https_proxy) (" in message
    assert message.endswith("correct the address, or leave the proxy out by no_proxy.")
    assert "secret" not in message


def test_the_error_names_a_proxy_that_does_not_answer(environment, connect, photographs):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"127.0.0.1:{silent.getsockname()[1]}"
        environment(http_proxy=f"http://{proxy}")
        message = _refusal(connect(8500, host="serving.test", timeout=1), photographs(1))
    assert f"through the proxy {proxy} (http_proxy) (DEADLINE_EXCEEDED" in message


def test_no_proxy_makes_the_connection_direct(proxy, environment, connect, photographs):
    server, asked = proxy
    environment(http_proxy=f"http://{server}", no_proxy="*")
    message = _refusal(connect(9, host="serving.test", attempts=1), photographs(1))
    assert "proxy" not in message
    assert asked == []
