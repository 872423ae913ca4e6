"""Defines `inflate`, which reads the gzipped body of a request."""

import zlib

from grpc import StatusCode

from nfl_keras.serving.server.serving_error import ServingError, invalid

_GZIP = zlib.MAX_WBITS | 16


def inflate(body: bytes, most: int) -> bytes:
    """Inflates a body of gzip, as one member, and stops beyond `most` bytes.

    Raises:
        ServingError: RESOURCE_EXHAUSTED for more bytes, INVALID_ARGUMENT for what is no gzip.
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(body, most + 1)
    except zlib.error as error:
        raise invalid(f"the body is no gzip, as its Content-Encoding says: {error}") from error
    if len(content) > most:
        message = f"a body that inflates to more than {most} bytes, larger than max ({most})"
        raise ServingError(StatusCode.RESOURCE_EXHAUSTED, message)
    if not stream.eof or stream.unused_data:
        raise invalid("the gzip of the body is cut short, or bytes follow it")
    return content
