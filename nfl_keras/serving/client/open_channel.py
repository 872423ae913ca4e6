"""Defines how a client opens its channel to a server."""

import ssl
from collections.abc import Sequence

import grpc

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # By default one second, in which every attempt would fail with the first one's refusal.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # By default the channels of a process share connections, also with the child of a fork.
    ("grpc.use_local_subchannel_pool", 1),
)


def open_channel(
    address: str,
    tls: bool,
    server_name: str | None,
    pem_files: Sequence[Path | None],
    through_proxy: bool,
) -> grpc.Channel:
    """Opens a channel that connects with its first request. The PEM files are as in `Client`.

    It goes through the proxy that the environment sets only if `through_proxy` is true. gRPC itself
    would send even requests to localhost there.
    """
    options = (*_OPTIONS, ("grpc.enable_http_proxy", int(through_proxy)))
    pem = [None if path is None else local_path(path) for path in pem_files]
    certificate_authority, certificate, key = pem
    if ":" not in address or address.startswith(("http:", "https:")):
        raise UserError(
            f"a server's address is HOST:PORT, such as 'localhost:8500', not {address!r}."
        )
    if (certificate is None) != (key is None):
        raise UserError("certificate and key go together: give both or neither.")
    if not (tls or certificate_authority or certificate):
        if server_name is not None:
            raise UserError("server_name is checked by TLS only: give tls=True, too.")
        return grpc.insecure_channel(address, options)
    # gRPC accepts any bytes, and only its log says why the first request fails.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if certificate_authority is not None:
            named = f"the certificate authority {str(certificate_authority)!r}"
            context.load_verify_locations(certificate_authority)
        if certificate is not None:
            named = f"the certificate {str(certificate)!r} with the key {str(key)!r}"
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        fault = "used" if isinstance(error, ssl.SSLError) else "read"
        raise UserError(f"{named} cannot be {fault} ({error.strerror}); give PEM files.") from error
    files = certificate_authority, key, certificate
    contents = [None if path is None else path.read_bytes() for path in files]
    credentials = grpc.ssl_channel_credentials(*contents)
    checked = () if server_name is None else (("grpc.ssl_target_name_override", server_name),)
    return grpc.secure_channel(address, credentials, options + checked)
