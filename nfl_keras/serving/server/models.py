"""Defines `Models`, which finds the served models and keeps them up to date."""

import logging
import pathlib
import threading
from collections.abc import Mapping
from typing import Any

from grpc import StatusCode

from nfl_keras.errors import UserError
from nfl_keras.servable.version_folder import versions_in
from nfl_keras.serving.server.loaded_model import collect_released
from nfl_keras.serving.server.model import Lease, Model
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.typing import Path

_log = logging.getLogger(__name__)


class Models:
    """The models of a folder, or of a configuration that replaces what was found in it.

    Args:
        directory: `<directory>/<version>/`, where the folder's name is the model's name, or
            `<directory>/<name>/<version>/`.
        limits: `Limits` for warm-up requests.
        poll_seconds: float. The time between two searches for new versions.
    """

    def __init__(self, directory: Path, limits: Limits, poll_seconds: float) -> None:
        self.directory = pathlib.Path(directory).resolve()
        self.limits = limits
        self._poll_seconds = poll_seconds
        self._models: dict[str, Model] = {}
        self._configured = False
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="nfl-models", daemon=True)

    def start(self) -> None:
        """Loads the models, then starts the search for new versions.

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

    def stop(self) -> None:
        """Ends the search and releases every model."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for model in self._models.values():
            model.keep_only([])
        collect_released()

    def refresh(self) -> None:
        """Searches the folder once."""
        with self._refreshing:
            if not self._configured:
                found = find_models(self.directory)
                new = {name: Model(name, path, self.limits) for name, path in found.items()}
                self._models = {**new, **self._models}
            for model in self._models.values():
                model.refresh()

    def configure(self, new: Mapping[str, Model]) -> None:
        """Replaces the served models by others, if each of the others can be served.

        Raises:
            ServingError: FAILED_PRECONDITION if one of them has no version to serve, or a label
                for a version that is not served. Nothing has changed then.
        """
        with self._refreshing:
            old = self._models
            for name, model in new.items():
                if name in old and old[name].base_path == model.base_path:
                    model.share_versions(old[name])
            wanted = {name: model.load_wanted() for name, model in new.items()}
            for name, model in new.items():
                _check_available(model, wanted[name])
            for name, model in new.items():
                model.keep_only(wanted[name])
            self._configured = True
            self._models = dict(new)

    def get(self, name: str) -> Model | None:
        """Returns the model of a name, or None."""
        return self._models.get(name)

    def items(self) -> list[tuple[str, Model]]:
        """Returns the names and the models."""
        return list(self._models.items())

    def lease(self, spec: Any) -> Lease:
        """Returns the version that a `ModelSpec` names, see `Model.lease`."""
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        model = self._models.get(spec.name) or Model(spec.name, self.directory, self.limits)
        return model.lease(spec)

    def _poll(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.refresh()
                collect_released()
            except Exception:
                _log.exception("looking for new versions in %s failed", self.directory)


def find_models(directory: pathlib.Path) -> dict[str, pathlib.Path]:
    """Finds the folders of models by their names: the folder itself, or those in it."""
    if versions_in(directory):
        return {directory.name: directory}
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        return {}
    return {e.name: e for e in entries if not e.name.startswith(".") and versions_in(e)}


def _check_available(model: Model, available: list[int]) -> None:
    if not available:
        reason = model.last_error or f"no version under {model.base_path}"
        message = f"1 model(s) did not become available: {{{model.name} due to error: {reason}}}"
        raise ServingError(StatusCode.FAILED_PRECONDITION, message)
    for label, number in model.labels.items():
        if number not in available:
            message = (
                f"Request to assign label {label} to version {number} of model {model.name}, "
                f"which is not currently available for inference"
            )
            raise ServingError(StatusCode.FAILED_PRECONDITION, message)
