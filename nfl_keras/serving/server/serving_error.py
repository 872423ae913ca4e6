"""Defines `ServingError`, a failure as the client of a server receives it."""

from grpc import StatusCode

_LONGEST = 1000
# TensorFlow puts these lines before the reason. They tell where the exporter made the graph.
_PREAMBLE = (" ", "\t", "Graph execution error", "Detected at node", "<stack traces")
_BY_NUMBER = {code.value[0]: code for code in StatusCode}


class ServingError(Exception):
    """A request's failure, over gRPC or REST.

    Codes and wording follow TensorFlow Serving. The message is put on one line and cut to 1,000
    characters, since parts of it come from the request.
    """

    def __init__(self, code: StatusCode, message: str) -> None:
        self.message = " ".join(message[:_LONGEST].split())
        super().__init__(self.message)
        self.code = code


def invalid(message: str) -> ServingError:
    """Returns a `ServingError` of the code INVALID_ARGUMENT."""
    return ServingError(StatusCode.INVALID_ARGUMENT, message)


def from_tensorflow(error: Exception) -> ServingError:
    """Converts what a running signature raised; only an `OpError` has a code of its own."""
    code = _BY_NUMBER.get(getattr(error, "error_code", None), StatusCode.INTERNAL)
    text = getattr(error, "message", None) or str(error)
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith(_PREAMBLE))
    return ServingError(code, next(lines, type(error).__name__))
