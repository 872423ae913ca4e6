"""Defines `Tls`, the certificates of a server and of its clients."""

import dataclasses
import pathlib
import ssl

import grpc

from nfl_keras.errors import UserError
from nfl_keras.typing import Path


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

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Reads the files for gRPC; raises `UserError` if one cannot be read."""
        ca = None if self.client_ca is None else _read(self.client_ca)
        return grpc.ssl_server_credentials(
            [(_read(self.key), _read(self.certificate))],
            root_certificates=ca,
            require_client_auth=ca is not None,
        )

    def ssl_context(self) -> ssl.SSLContext:
        """Reads the files for REST; raises `UserError` if they cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            pair = f"the certificate {self.certificate} with the key {self.key}"
            raise UserError(f"{pair} cannot be used: {error}") from error
        return context


def _read(file: Path) -> bytes:
    try:
        return pathlib.Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error
