"""One version of a model: its state, and who is using it."""

import pathlib
import threading

from tensorflow_serving.apis import get_model_status_pb2, status_pb2

from nfl_keras.errors import UserError
from nfl_keras.servable.warmup import replay_warmup
from nfl_keras.serving.server.folders import fingerprint
from nfl_keras.serving.server.loaded_model import LoadedModel

_UNKNOWN = 2


class Version:
    """A version folder, loaded, in use, or refused.

    Args:
        model_name: str.
        number: int.
        path: path.

    Attributes:
        state: str, of TF Serving's `ModelVersionStatus.State`: `"LOADING"`, `"AVAILABLE"`,
            `"UNLOADING"` (replaced, its last requests still under way) or `"END"` (released or
            refused).
        error: str. Why it was refused, else empty.
        loaded: `LoadedModel`, while there is one.
    """

    def __init__(self, model_name, number, path):
        self.model_name = model_name
        self.number = number
        self.path = pathlib.Path(path)
        self.state = "LOADING"
        self.error = ""
        self.loaded = None
        self._users = 0
        self._lock = threading.Lock()
        self._fingerprint = None

    def load(self, answer):
        """Loads it and replays its warm-up requests; `publish` then lets requests in.

        Args:
            answer: Function from a `LoadedModel` and a `PredictRequest`, for the warm-up.

        Returns:
            Whether it may be used; if not, `error` says why.
        """
        self._fingerprint = fingerprint(self.path)
        try:
            loaded = LoadedModel(self.path)
            replay_warmup(self.path, lambda request: answer(loaded, request))
        except UserError as error:
            self.error = str(error)
            self.state = "END"
            return False
        self.loaded = loaded
        return True

    def publish(self):
        """Lets requests use it."""
        self.state = "AVAILABLE"

    def changed_since_refused(self):
        """Whether its files are others than those refused, as those of a copy that went on."""
        return fingerprint(self.path) != self._fingerprint

    def acquire(self):
        """Counts one more user of it; False if it is not, or no longer, to be used."""
        with self._lock:
            if self.state != "AVAILABLE":
                return False
            self._users += 1
            return True

    def release(self):
        """Counts one user less."""
        with self._lock:
            self._users -= 1

    def retire(self):
        """Lets in no more requests; those under way go on."""
        with self._lock:
            if self.state == "AVAILABLE":
                self.state = "UNLOADING"

    def unload_when_idle(self):
        """Drops the model if it is retired and nobody uses it any more; whether it did so."""
        with self._lock:
            if self._users or self.state != "UNLOADING":
                return False
            self.loaded = None
            self.state = "END"
            return True

    def status(self):
        """Its `ModelVersionStatus`."""
        return get_model_status_pb2.ModelVersionStatus(
            version=self.number,
            state=get_model_status_pb2.ModelVersionStatus.State.Value(self.state),
            status=status_pb2.StatusProto(
                error_code=_UNKNOWN if self.error else 0, error_message=self.error
            ),
        )
