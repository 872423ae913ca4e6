"""Defines `python -m nfl_keras.serve DIR`, which serves exported models by TF Serving's API."""

import argparse
import dataclasses
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from nfl_keras import serving
from nfl_keras.errors import UserError, exit_on_user_error
from nfl_keras.serving.server.settings import GRACE_SECONDS, Batching, Limits, Tls

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.serve") -> None:
    """Runs the command until SIGTERM or Ctrl-C, after which requests under way are answered.

    Args:
        arguments: Optional list of str. Defaults to the process' own arguments.
        prog: str. The command's name in its help.
    """
    given = _parser(prog).parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    told_to_stop = threading.Event()
    with exit_on_user_error():
        before = {n: signal.signal(n, lambda *_: told_to_stop.set()) for n in _SIGNALS}
        try:
            server = _make_server(given).start()
            _say(_address(server, given.host))
            told_to_stop.wait()
            _say("stopping; requests under way are answered first.")
            server.stop(given.grace_seconds)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _say(line: str) -> None:
    """Prints a line, if anybody still reads what the server prints."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # Python would fail once more to flush the line as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serves exported models by TensorFlow Serving's gRPC and REST API. Only this "
        "machine can reach the server unless --host says otherwise. New versions are loaded while "
        "it runs.",
    )
    parser.add_argument("directory", metavar="DIR", help="DIR/<version>/ or DIR/<name>/<version>/")
    add = parser.add_argument
    add("--port", type=int, default=8500, help="gRPC port (default: 8500); 0: any free one")
    add("--rest-port", type=int, default=8501, help="port of REST and metrics (default: 8501)")
    add("--no-rest", action="store_true", help="serve gRPC alone")
    add("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all networks")
    batching = parser.add_argument_group("merging of requests")
    batching.add_argument("--no-batching", action="store_true", help="run each request alone")
    _add_fields(batching, Batching())
    _add_fields(parser.add_argument_group("limits"), Limits())
    add("--poll-seconds", type=float, default=1.0, help="seconds between searches for versions")
    add("--grace-seconds", type=float, default=GRACE_SECONDS, help="longest wait when stopping")
    tls = parser.add_argument_group("TLS")
    tls.add_argument("--tls-certificate", metavar="PEM", help="the server's certificate")
    tls.add_argument("--tls-key", metavar="PEM", help="the private key of the certificate")
    tls.add_argument("--tls-client-ca", metavar="PEM", help="accept only clients that it signed")
    return parser


def _add_fields(group: Any, defaults: Batching | Limits) -> None:
    for name, default in dataclasses.asdict(defaults).items():
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, type=type(default), default=default, help=f"default: {default}")


def _make_server(given: argparse.Namespace) -> "serving.Server":
    if (given.tls_certificate is None) != (given.tls_key is None):
        raise UserError("--tls-certificate and --tls-key go together.")
    if given.tls_client_ca is not None and given.tls_key is None:
        raise UserError("--tls-client-ca needs --tls-certificate and --tls-key.")

    def fields(settings: type[Batching] | type[Limits]) -> dict[str, Any]:
        return {f.name: getattr(given, f.name) for f in dataclasses.fields(settings)}

    # The name imports TensorFlow here, so that `--help` and wrong arguments are answered at once.
    return serving.Server(
        given.directory,
        given.port,
        rest_port=None if given.no_rest else given.rest_port,
        host=given.host,
        batching=None if given.no_batching else Batching(**fields(Batching)),
        limits=Limits(**fields(Limits)),
        poll_seconds=given.poll_seconds,
        tls=given.tls_key and Tls(given.tls_certificate, given.tls_key, given.tls_client_ca),
    )


def _address(server: "serving.Server", host: str) -> str:
    served = ", ".join(
        f"{name} version {max(model.available, default='(none)')}"
        for name, model in server.models.served.items()
    )
    rest = "" if server.rest_port is None else f" and {host}:{server.rest_port} (REST)"
    return f"serving {served} at {host}:{server.port} (gRPC){rest}"


if __name__ == "__main__":
    main()
