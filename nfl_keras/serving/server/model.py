"""Defines `Model`, a served name with its versions."""

import contextlib
import dataclasses
import logging
import pathlib
import weakref
from collections.abc import Collection, Iterable
from typing import Any

from grpc import StatusCode
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from nfl_keras.errors import UserError
from nfl_keras.servable.version_folder import versions_in
from nfl_keras.servable.warmup import replay_warmup
from nfl_keras.serving.server.loaded_model import LoadedModel
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class Version:
    """What is known of a version: its files when it was loaded, its model, and any refusal."""

    files: list[tuple[str, int, int]]
    error: str = ""
    loaded: "weakref.ref[LoadedModel] | None" = None


class Model:
    """A model that a `ModelConfig` names, with the folder of its versions.

    Without a policy it serves the latest version. The limits are for warm-up requests.
    """

    def __init__(self, config: ModelConfig, base_path: pathlib.Path, limits: Limits) -> None:
        self.name = config.name
        self.base_path = base_path
        self.labels = dict(config.version_labels)
        self._policy = config.model_version_policy
        self._limits = limits
        self._versions: dict[int, Version] = {}
        # Replaced as a whole, so that a request finds the versions of before or after a change.
        self._serving: dict[int, LoadedModel] = {}

    @property
    def available(self) -> list[int]:
        """Numbers of the versions that answer, in ascending order."""
        return sorted(self._serving)

    @property
    def last_error(self) -> str:
        """Why the newest refused version was refused; empty if none was."""
        newest_first = sorted(self._versions.items(), reverse=True)
        return next((version.error for _, version in newest_first if version.error), "")

    def share_versions(self, other: "Model") -> None:
        """Takes over the loaded versions of another model of the same folder."""
        self._versions = dict(other._versions)
        self._serving = other._serving

    def refresh(self) -> None:
        """Loads versions that have appeared and retires those that are no longer wanted.

        If none can be loaded, the old ones continue.
        """
        if wanted := self.load_wanted():
            self.keep_only(wanted)

    def load_wanted(self) -> list[int]:
        """Loads and warms up the versions that the policy asks for; returns those available.

        A refused version is tried again when its files change.
        """
        found = versions_in(self.base_path)
        candidates, count = wanted_versions(self._policy, found)
        wanted: list[int] = []
        for number in candidates:
            if len(wanted) < count and self._load_once(number, found[number]):
                wanted.append(number)
        return wanted

    def keep_only(self, wanted: Collection[int]) -> None:
        """Retires the versions that are not wanted; requests under way keep theirs in memory."""
        self._serving = {n: loaded for n, loaded in self._serving.items() if n in wanted}

    def find_version(self, spec: Any) -> LoadedModel:
        """Returns the version that a `ModelSpec` names, which stays in memory while it is held."""
        serving, number = self._serving, self.number_of(spec)
        chosen = max(serving, default=None) if number is None else number
        if chosen in serving:
            return serving[chosen]
        asked = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise ServingError(StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")

    def statuses(self, number: int | None = None) -> list[ModelVersionStatus]:
        """Returns the status of every version seen, or of one, oldest first."""
        found = []
        for seen, version in sorted(self._versions.items()):
            if number in (None, seen):
                code = "UNKNOWN" if version.error else "OK"
                status = {"error_code": code, "error_message": version.error}
                state = self._state(seen)
                found.append(ModelVersionStatus(version=seen, state=state, status=status))
        return found

    def number_of(self, spec: Any) -> int | None:
        """Returns the version that a `ModelSpec` names by number or label; None for the newest."""
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            if spec.version_label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
            return self.labels[spec.version_label]
        return spec.version.value if choice == "version" else None

    def _state(self, number: int) -> str:
        if number in self._serving:
            return "AVAILABLE"
        version = self._versions[number]
        if version.loaded is None:
            return "END" if version.error else "LOADING"
        return "END" if version.loaded() is None else "UNLOADING"

    def _load_once(self, number: int, path: pathlib.Path) -> bool:
        if number in self._serving:
            return True
        before, version = self._versions.get(number, Version([])), Version(fingerprint(path))
        if before.error and before.files == version.files:
            return False
        self._versions[number] = version
        try:
            loaded = LoadedModel(path)
            replay_warmup(path, lambda request: loaded.predict(request, self._limits))
        except UserError as error:
            version.error = str(error)
            if version.error != before.error:
                _log.error("%s: version %d is refused: %s", self.name, number, version.error)
            return False
        self._serving = {**self._serving, number: loaded}
        version.loaded = weakref.ref(loaded)
        _log.info("%s: version %d is served", self.name, number)
        return True


def wanted_versions(policy: Any, numbers: Iterable[int]) -> tuple[list[int], int]:
    """Returns the versions that a policy allows, newest first, and how many of them to serve.

    If a version cannot be loaded, the next one takes its place.
    """
    choice = policy.WhichOneof("policy_choice")
    newest_first = sorted(numbers, reverse=True)
    if choice == "all":
        return newest_first, len(newest_first)
    if choice == "specific":
        asked = [number for number in newest_first if number in policy.specific.versions]
        return asked, len(asked)
    return newest_first, max(policy.latest.num_versions, 1) if choice == "latest" else 1


def fingerprint(path: pathlib.Path) -> list[tuple[str, int, int]]:
    """Returns the names, sizes and times of the files of a version."""
    found = []
    for file in sorted(path.rglob("*")):
        with contextlib.suppress(OSError):
            status = file.stat()
            found.append((str(file), status.st_size, status.st_mtime_ns))
    return found
