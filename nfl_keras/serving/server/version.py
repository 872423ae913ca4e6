"""Defines `Version`, one version of a served model."""

import pathlib
import threading

from tensorflow_serving.apis import get_model_status_pb2, status_pb2

from nfl_keras.errors import UserError
from nfl_keras.servable.warmup import replay_warmup
from nfl_keras.serving.server.loaded_model import LoadedModel
from nfl_keras.serving.server.settings import Limits

_UNKNOWN = 2


class Version:
    """A version of a model, with its state and the number of requests that use it.

    Attributes:
        state: str, of TF Serving's `ModelVersionStatus.State`: `"LOADING"`, `"AVAILABLE"`,
            `"UNLOADING"` (replaced while its last requests are under way) or `"END"` (released or
            refused).
        error: str. Why the version was refused, else empty.
        loaded: `LoadedModel`, or None while there is none.
    """

    def __init__(self, model_name: str, number: int, path: pathlib.Path) -> None:
        self.model_name = model_name
        self.number = number
        self.path = path
        self.state = "LOADING"
        self.error = ""
        self.loaded: LoadedModel | None = None
        self._users = 0
        self._lock = threading.Lock()
        self._fingerprint: tuple[tuple[str, int, int], ...] = ()

    def load(self, limits: Limits) -> bool:
        """Loads the model, replays its warm-up requests, then makes the version available.

        Returns:
            Whether the version is available; if not, `error` says why.
        """
        self._fingerprint = fingerprint(self.path)
        try:
            loaded = LoadedModel(self.path)
            replay_warmup(self.path, lambda request: loaded.predict(request, limits))
        except UserError as error:
            self.error = str(error)
            self.state = "END"
            return False
        self.loaded = loaded
        self.state = "AVAILABLE"
        return True

    def changed_since_refused(self) -> bool:
        """Returns whether the files have changed, as when a copy was not complete at first."""
        return fingerprint(self.path) != self._fingerprint

    def acquire(self) -> bool:
        """Counts one more user, and returns False instead if the version is not available."""
        with self._lock:
            if self.state != "AVAILABLE":
                return False
            self._users += 1
            return True

    def release(self) -> None:
        """Counts one user less."""
        with self._lock:
            self._users -= 1

    def retire(self) -> None:
        """Accepts no more requests; requests under way continue."""
        with self._lock:
            if self.state == "AVAILABLE":
                self.state = "UNLOADING"

    def unload_when_idle(self) -> bool:
        """Drops the model if it is retired and has no user; returns whether it did."""
        with self._lock:
            if self._users or self.state != "UNLOADING":
                return False
            self.loaded = None
            self.state = "END"
            return True

    def status(self) -> get_model_status_pb2.ModelVersionStatus:
        """Returns the state and error as TF Serving's message."""
        return get_model_status_pb2.ModelVersionStatus(
            version=self.number,
            state=get_model_status_pb2.ModelVersionStatus.State.Value(self.state),
            status=status_pb2.StatusProto(
                error_code=_UNKNOWN if self.error else 0, error_message=self.error
            ),
        )


def fingerprint(path: pathlib.Path) -> tuple[tuple[str, int, int], ...]:
    """Returns the names, sizes and times of the files of a version, which change when it does."""
    found = []
    for file in sorted(path.rglob("*")):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((str(file), status.st_size, status.st_mtime_ns))
    return tuple(found)
