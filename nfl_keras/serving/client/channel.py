"""A gRPC channel to a server, in the clear or by TLS."""

import pathlib
import ssl

import grpc

from nfl_keras.errors import UserError

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # By default a second, in which every attempt fails by the first one's refusal.
    ("grpc.initial_reconnect_backoff_ms", 100),
)


def open_channel(
    address, tls=False, certificate_authority=None, certificate=None, key=None, server_name=None
):
    """Opens a channel, which connects with its first request.

    Args: as of `Client`.

    Returns:
        `grpc.Channel`.

    Raises:
        UserError: if the address has no port, a file is not what it should be, or the
            arguments do not go together.
    """
    if ":" not in address or address.startswith(("http:", "https:")):
        raise UserError(
            f"a server's address is HOST:PORT, such as 'localhost:8500', not {address!r}."
        )
    if (certificate is None) != (key is None):
        raise UserError("certificate and key go together: give both or neither.")
    if not (tls or certificate_authority or certificate):
        if server_name is not None:
            raise UserError("server_name is checked by TLS only: give tls=True, too.")
        return grpc.insecure_channel(address, _OPTIONS)
    _check_pem(certificate_authority, certificate, key)
    credentials = grpc.ssl_channel_credentials(
        _content(certificate_authority), _content(key), _content(certificate)
    )
    named = () if server_name is None else (("grpc.ssl_target_name_override", server_name),)
    return grpc.secure_channel(address, credentials, _OPTIONS + named)


def _content(path):
    return None if path is None else pathlib.Path(path).read_bytes()


def _check_pem(certificate_authority, certificate, key):
    # gRPC takes any bytes, and only logs why the first request fails then.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if certificate_authority is not None:
            named = f"the certificate authority {str(certificate_authority)!r}"
            context.load_verify_locations(certificate_authority)
        if certificate is not None:
            named = f"the certificate {str(certificate)!r} with the key {str(key)!r}"
            context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise UserError(f"{named} cannot be used ({error}); give PEM files.") from error
    except OSError as error:
        raise UserError(f"{named} cannot be read ({error.strerror}); correct the path.") from error
