"""All served models: found in a folder or named by a configuration, and kept up to date."""

import contextlib
import gc
import logging
import pathlib
import threading

from grpc import StatusCode

from nfl_keras.errors import UserError
from nfl_keras.serving.server.folders import models_in
from nfl_keras.serving.server.model import Model
from nfl_keras.serving.server.request_error import RequestError

_log = logging.getLogger(__name__)


class Models:
    """The models of a folder.

    Args:
        directory: str or path, `<directory>/<version>/`, the folder's name being the model's, or
            `<directory>/<name>/<version>/`.
        answer: Function from a `LoadedModel` and a `PredictRequest`, for warm-up.
        poll_seconds: float. How often the folder is looked through.
    """

    def __init__(self, directory, answer, poll_seconds):
        self.directory = pathlib.Path(directory).resolve()
        self._answer = answer
        self._poll_seconds = poll_seconds
        self._models = {}
        self._replaced = []
        self._configured = False
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="nfl-models", daemon=True)

    def start(self):
        """Loads what there is, then looks for more from time to time.

        Raises:
            UserError: if there is no version, or none that can be loaded.
        """
        self.refresh()
        if not self._models:
            raise UserError(
                f"no model version in {self.directory}; expected {self.directory}/1/saved_model.pb "
                f"or {self.directory}/NAME/1/saved_model.pb, as nfl.export_model writes it."
            )
        if not any(model.available for model in self._models.values()):
            raise UserError(next(iter(self._models.values())).last_error)
        self._thread.start()

    def stop(self):
        """Ends the polling and releases every model."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for model in self._models.values():
            model.keep_only([])
        self.release_idle()

    def refresh(self):
        """Looks through the folder once."""
        with self._refreshing:
            if not self._configured:
                found = models_in(self.directory)
                new = {n: Model(n, p, self._answer) for n, p in found.items()}
                self._models = {**new, **self._models}
            for model in self._models.values():
                model.refresh()

    def configure(self, configurations):
        """Puts other models in the place of those served, if each of them can be served.

        Args:
            configurations: List of dicts of the arguments name, base_path, policy and labels of
                `Model`.

        Raises:
            RequestError: FAILED_PRECONDITION if one of them has no version to serve, or a label
                for a version that is not served. What was served before then goes on.
        """
        with self._refreshing:
            old = self._models
            new = {c["name"]: self._configured_model(c) for c in configurations}
            wanted = {name: model.take_up() for name, model in new.items()}
            try:
                for name, model in new.items():
                    _check(model, wanted[name])
            except RequestError:
                self._leave(new, old)
                raise
            self._configured = True
            self._models = new
            self._leave(old, new)
            for name, model in new.items():
                model.keep_only(wanted[name])

    def get(self, name):
        """The `Model` of a name, or None."""
        return self._models.get(name)

    @property
    def names(self):
        return list(self._models)

    @contextlib.contextmanager
    def leased(self, spec):
        """Around the use of the version that a `ModelSpec` names; it stays loaded within.

        Raises:
            RequestError: NOT_FOUND or INVALID_ARGUMENT, see `Model.acquire`.
        """
        if not spec.name:
            raise RequestError(StatusCode.INVALID_ARGUMENT, "ModelSpec has no name specified.")
        version = self._acquire(spec)
        try:
            yield version
        finally:
            version.release()

    def release_idle(self):
        """Frees what replaced versions held, once nobody uses them."""
        with self._refreshing:
            released = [m.release_idle() for m in [*self._models.values(), *self._replaced]]
            self._replaced = [model for model in self._replaced if model.in_use]
        if any(released):
            gc.collect()

    def _acquire(self, spec):
        while True:
            models = self._models
            model = models.get(spec.name) or Model(spec.name, None, None)
            try:
                return model.acquire(spec)
            except RequestError:
                if models is self._models:
                    raise

    def _configured_model(self, configuration):
        before = self._models.get(configuration["name"])
        same = before is not None and before.base_path == configuration["base_path"]
        return Model(**configuration, answer=self._answer, before=before if same else None)

    def _leave(self, leaving, staying):
        for name, model in leaving.items():
            other = staying.get(name)
            same = other is not None and other.base_path == model.base_path
            model.keep_only(other.available if same else [])
            self._replaced.append(model)

    def _poll(self):
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.refresh()
                self.release_idle()
            except Exception:
                _log.exception("looking for new versions in %s failed", self.directory)


def _check(model, wanted):
    if not wanted:
        reason = model.last_error or f"no version under {model.base_path}"
        raise RequestError(
            StatusCode.FAILED_PRECONDITION,
            f"1 model(s) did not become available: {{{model.name} due to error: {reason}}}",
        )
    for label, number in model.labels.items():
        if number not in wanted:
            raise RequestError(
                StatusCode.FAILED_PRECONDITION,
                f"Request to assign label {label} to version {number} of model {model.name}, "
                f"which is not currently available for inference",
            )
