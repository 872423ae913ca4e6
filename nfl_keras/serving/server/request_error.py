"""The answer to a request that cannot be served: a status code and one line."""

from grpc import StatusCode

_LONGEST = 1000
# What TensorFlow puts around the reason: where in the exporter's program the graph was made.
_PREAMBLE = (" ", "\t", "Graph execution error", "Detected at node", "<stack traces")
_BY_NUMBER = {code.value[0]: code for code in StatusCode}


class RequestError(Exception):
    """A request's failure as its caller gets it, over gRPC or REST.

    Codes and wording follow TensorFlow Serving, so that a client's handling of errors holds for
    both. The line is cut to 1,000 characters: parts of it come from the request.

    Args:
        code: `grpc.StatusCode`.
        message: str.

    Example:

    >>> raise RequestError(StatusCode.NOT_FOUND, "Servable not found for request: Latest(birds)")
    """

    def __init__(self, code, message):
        self.message = " ".join(message[:_LONGEST].split())
        super().__init__(self.message)
        self.code = code


def from_tensorflow(error):
    """The `RequestError` for what TensorFlow raised while it ran a signature.

    Args:
        error: Exception. A `tf.errors.OpError` keeps its code, anything else is INTERNAL.
    """
    number = getattr(error, "error_code", None)
    code = _BY_NUMBER.get(number, StatusCode.INTERNAL)
    text = getattr(error, "message", None) or str(error)
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith(_PREAMBLE))
    return RequestError(code, next(lines, type(error).__name__))
