"""Defines the settings of a server. Importing them imports neither TensorFlow nor gRPC."""

import dataclasses
import ssl
from typing import TYPE_CHECKING

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path

if TYPE_CHECKING:
    import grpc

GRACE_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Batching:
    """How a server merges concurrent requests, named as in TF Serving's batching parameters.

    Clients that ask for one image after another come back together. A run therefore waits until
    as many rows have come as the last run had: a client that is alone never waits, and many
    clients share their runs.

    Args:
        max_batch_size: int. The most rows of one run. A request with more rows is run in several
            parts. Defaults to `32`.
        batch_timeout_micros: int. The longest time that a free thread waits for more rows, in
            microseconds. Defaults to `10_000`.
        num_batch_threads: int. The number of runs at the same time. Defaults to `2`.

    Raises:
        UserError: if a value is out of its range.

    Example:

    >>> nfl.serving.Batching(max_batch_size=64)
    Batching(max_batch_size=64, batch_timeout_micros=10000, num_batch_threads=2)
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 10_000
    num_batch_threads: int = 2

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            least = 0 if name == "batch_timeout_micros" else 1
            if value < least:
                raise UserError(f"{name} must not be {value}; it must be at least {least}.")


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much a server takes on; beyond it the answer is RESOURCE_EXHAUSTED or DEADLINE_EXCEEDED.

    Args:
        max_message_bytes: int. The size of a gRPC message, of a REST body, and of the tensor that
            either declares. Defaults to 64 MiB.
        max_request_rows: int. The number of images in one request. Defaults to `1024`.
        max_concurrent_requests: int. The number of predictions at the same time. Defaults to `64`.
        max_request_seconds: float. The time for a request to arrive, and again for its answer. A
            shorter deadline of the client wins. Defaults to `60.0`.

    Raises:
        UserError: if a value is not above 0.

    Example:

    >>> nfl.serving.Limits(max_concurrent_requests=16).max_request_rows
    1024
    """

    max_message_bytes: int = 64 * 2**20
    max_request_rows: int = 1024
    max_concurrent_requests: int = 64
    max_request_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if value <= 0:
                raise UserError(f"{name} must be above 0, not {value}.")


@dataclasses.dataclass(frozen=True)
class Tls:
    """PEM files for TLS on both ports of a server.

    Args:
        certificate: str or path. The server's certificate and its intermediate certificates.
        key: str or path. The private key of the server's certificate.
        client_ca: Optional str or path. The certificates of the authorities that sign the
            certificates of clients. With it the server refuses clients without a certificate
            (mutual TLS). Defaults to `None`.

    Example:

    >>> nfl.serving.Tls("server.crt", "server.key").client_ca is None
    True
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def load(self) -> "tuple[grpc.ServerCredentials, ssl.SSLContext]":
        """Reads the files for gRPC and for REST; raises `UserError` if they cannot be used."""
        import grpc

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        ca = None
        try:
            key, certificate = local_path(self.key), local_path(self.certificate)
            pair = key.read_bytes(), certificate.read_bytes()
            context.load_cert_chain(certificate, key)
            if self.client_ca is not None:
                ca = local_path(self.client_ca).read_bytes()
                context.load_verify_locations(local_path(self.client_ca))
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:
            files = f"the certificate {self.certificate} with the key {self.key}"
            raise UserError(f"{files} cannot be used: {error}") from error
        return grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None), context
