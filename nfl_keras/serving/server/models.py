"""Defines `Models`, which finds the served models and keeps them up to date."""

import logging
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

from grpc import StatusCode
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.servable.version_folder import versions_in
from nfl_keras.serving.server.loaded_model import LoadedModel, collect_released
from nfl_keras.serving.server.model import Model
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.typing import Path

_log = logging.getLogger(__name__)


class Models:
    """The models of a folder, or of a configuration that replaces what was found in it.

    `served` is a dict from name to `Model`. The limits are for warm-up requests.
    """

    def __init__(self, directory: Path, limits: Limits, poll_seconds: float) -> None:
        self.directory = local_path(directory).resolve()
        self._limits = limits
        self._poll_seconds = poll_seconds
        # Replaced as a whole, so that a request finds the models of before or after a change.
        self.served: dict[str, Model] = {}
        self._configured = False
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="nfl-models", daemon=True)

    def start(self) -> None:
        """Loads the models, then starts the search for new versions."""
        self.refresh()
        if not self.served:
            raise UserError(
                f"no model version in {self.directory}; expected {self.directory}/1/saved_model.pb "
                f"or {self.directory}/NAME/1/saved_model.pb, as nfl.export_model writes it."
            )
        if not any(model.available for model in self.served.values()):
            raise UserError(next(iter(self.served.values())).last_error)
        self._thread.start()

    def stop(self) -> None:
        """Ends the search and releases every model."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for model in self.served.values():
            model.keep_only([])
        collect_released()

    def refresh(self) -> None:
        """Searches the folder once."""
        with self._refreshing:
            if not self._configured:
                found = find_models(self.directory)
                new = {name: self._model(name, path) for name, path in found.items()}
                self.served = {**new, **self.served}
            for model in self.served.values():
                model.refresh()

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Serves the models of a configuration instead of those served until now.

        A caller names the folders, and a SavedModel may read and write files. Folders outside the
        served one are therefore refused; relative base paths start at the served folder. If a
        model or a labeled version cannot be served, nothing changes.
        """
        names = [config.name for config in configs]
        if not names or not all(names) or len(set(names)) < len(names):
            raise invalid(f"each model needs a name of its own, not {names}")
        new = {config.name: self._configured_model(config) for config in configs}
        with self._refreshing:
            wanted = {}
            for name, model in new.items():
                if name in self.served and self.served[name].base_path == model.base_path:
                    model.share_versions(self.served[name])
                wanted[name] = model.load_wanted()
                _check_available(model, wanted[name])
            for name, model in new.items():
                model.keep_only(wanted[name])
            self._configured = True
            self.served = new

    def find_version(self, spec: Any) -> LoadedModel:
        """Returns the version that a `ModelSpec` names, see `Model.find_version`."""
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        model = self.served.get(spec.name) or self._model(spec.name, self.directory)
        return model.find_version(spec)

    def _model(self, name: str, base_path: pathlib.Path) -> Model:
        return Model(ModelConfig(name=name), base_path, self._limits)

    def _configured_model(self, config: ModelConfig) -> Model:
        if config.model_platform not in ("", "tensorflow"):
            platform = config.model_platform
            raise invalid(f"Model {config.name} requests unsupported platform {platform}")
        base_path = (self.directory / config.base_path).resolve()
        if not config.base_path or not base_path.is_relative_to(self.directory):
            where = f"base_path {config.base_path!r} of model {config.name}"
            message = f"{where} is not within {self.directory}"
            raise ServingError(StatusCode.PERMISSION_DENIED, message)
        return Model(config, base_path, self._limits)

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
            request = f"Request to assign label {label} to version {number} of model {model.name}"
            message = f"{request}, which is not currently available for inference"
            raise ServingError(StatusCode.FAILED_PRECONDITION, message)
