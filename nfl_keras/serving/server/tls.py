"""Certificates of the server, and of clients where they need one, too."""

import dataclasses
import pathlib
import ssl

import grpc

from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Tls:
    """PEM files for TLS.

    Args:
        certificate: str or path. The server's certificate and those it rests on.
        key: str or path. Its private key.
        client_ca: Optional str or path. Certificates of who signs those of clients; given, a
            client without one is turned away (mutual TLS).

    Example:

    >>> nfl.serving.Server("models", tls=Tls("server.crt", "server.key"))
    """

    certificate: str
    key: str
    client_ca: str | None = None

    def grpc_credentials(self):
        """`grpc.ServerCredentials`."""
        ca = None if self.client_ca is None else _read(self.client_ca)
        return grpc.ssl_server_credentials(
            [(_read(self.key), _read(self.certificate))],
            root_certificates=ca,
            require_client_auth=ca is not None,
        )

    def ssl_context(self):
        """`ssl.SSLContext` for REST."""
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


def _read(file):
    try:
        return pathlib.Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error
