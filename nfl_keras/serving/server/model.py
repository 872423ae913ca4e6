"""Defines `Model`, a served name with its versions."""

import logging
import pathlib
import threading
from collections.abc import Collection, Iterable, Mapping

from grpc import StatusCode
from tensorflow_serving.apis import get_model_status_pb2, model_pb2
from tensorflow_serving.config import file_system_storage_path_source_pb2 as source_pb2

from nfl_keras.servable.version_folder import versions_in
from nfl_keras.serving.server.serving_error import ServingError, invalid
from nfl_keras.serving.server.settings import Limits
from nfl_keras.serving.server.version import Version

_log = logging.getLogger(__name__)
_Policy = source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy


class Model:
    """A model by its name, with the folder of its versions.

    Args:
        name: str.
        base_path: The folder of the versions.
        limits: `Limits` for warm-up requests.
        policy: Optional `ServableVersionPolicy`. Defaults to the latest version alone.
        labels: Mapping from label to version. Defaults to none.
    """

    def __init__(
        self,
        name: str,
        base_path: pathlib.Path,
        limits: Limits,
        policy: _Policy | None = None,
        labels: Mapping[str, int] | None = None,
    ) -> None:
        self.name = name
        self.base_path = base_path
        self.labels = dict(labels or {})
        self._limits = limits
        self._policy = policy
        self._lock = threading.Lock()
        self._versions: dict[int, Version] = {}

    @property
    def available(self) -> list[int]:
        """Numbers of the versions that answer, in ascending order."""
        with self._lock:
            return sorted(n for n, v in self._versions.items() if v.state == "AVAILABLE")

    @property
    def last_error(self) -> str:
        """Why the newest refused version was refused; empty if none was."""
        with self._lock:
            return next((v.error for _, v in sorted(self._versions.items())[::-1] if v.error), "")

    @property
    def in_use(self) -> bool:
        """Whether a replaced version still has requests under way."""
        with self._lock:
            return any(version.state == "UNLOADING" for version in self._versions.values())

    def has_folder_of(self, other: "Model | None") -> bool:
        """Returns whether both models read their versions from the same folder."""
        return other is not None and other.base_path == self.base_path

    def share_versions(self, other: "Model | None") -> None:
        """Takes over the loaded versions of another model if it has the same folder."""
        if other is not None and self.has_folder_of(other):
            self._versions = dict(other._versions)

    def refresh(self) -> None:
        """Loads versions that have appeared and retires those that are no longer wanted.

        A new version is loaded and warmed up while the old one answers. If it cannot be loaded,
        the old one continues, and the new one is tried again when its files change. A refusal is
        logged once for each reason.
        """
        wanted = self.load_wanted()
        if wanted:
            self.keep_only(wanted)

    def load_wanted(self) -> list[int]:
        """Loads the versions that the policy asks for; returns those that are available."""
        found = versions_in(self.base_path)
        candidates, count = wanted_versions(self._policy, found)
        wanted: list[int] = []
        for number in candidates:
            if len(wanted) < count and self._load_once(number, found[number]):
                wanted.append(number)
        return wanted

    def keep_only(self, wanted: Collection[int]) -> None:
        """Retires the versions that are not wanted."""
        with self._lock:
            for number, version in self._versions.items():
                if number not in wanted:
                    version.retire()

    def release_idle(self) -> bool:
        """Unloads retired versions whose last request is done; returns whether there was one."""
        with self._lock:
            released = [v for v in self._versions.values() if v.unload_when_idle()]
        for version in released:
            _log.info("%s: version %d is released", self.name, version.number)
        return bool(released)

    def acquire(self, spec: model_pb2.ModelSpec) -> Version:
        """Returns the version that a request names, in use until its `release`.

        Args:
            spec: `ModelSpec`; without version and label it means the newest version.

        Raises:
            ServingError: NOT_FOUND for a version that is not served; INVALID_ARGUMENT for an
                unknown label.
        """
        number = self.number_of(spec)
        with self._lock:
            for version in sorted(self._versions.values(), key=lambda v: v.number, reverse=True):
                if number in (None, version.number) and version.acquire():
                    return version
        asked = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise ServingError(StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")

    def statuses(self, number: int | None = None) -> list[get_model_status_pb2.ModelVersionStatus]:
        """Returns the status of every version seen, or of one, in ascending order."""
        with self._lock:
            versions = sorted(self._versions.items())
        return [version.status() for n, version in versions if number in (None, n)]

    def number_of(self, spec: model_pb2.ModelSpec) -> int | None:
        """Returns the version that a `ModelSpec` names by number or label; None for the newest."""
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            if spec.version_label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
            return self.labels[spec.version_label]
        return spec.version.value if choice == "version" else None

    def _load_once(self, number: int, path: pathlib.Path) -> bool:
        before = self._versions.get(number)
        if before is not None and before.state == "AVAILABLE":
            return True
        known = before.error if before is not None else ""
        if before is not None and known and not before.changed_since_refused():
            return False
        version = Version(self.name, number, path)
        with self._lock:
            self._versions[number] = version
        if not version.load(self._limits):
            if version.error != known:
                _log.error("%s: version %d is refused: %s", self.name, number, version.error)
            return False
        _log.info("%s: version %d is served", self.name, number)
        return True


def wanted_versions(policy: _Policy | None, numbers: Iterable[int]) -> tuple[list[int], int]:
    """Chooses versions by a policy of TF Serving's model configuration.

    Returns:
        List of versions, newest first, and how many of them to serve: if one cannot be loaded,
        the next takes its place.
    """
    choice = policy.WhichOneof("policy_choice") if policy is not None else None
    newest_first = sorted(numbers, reverse=True)
    if policy is None or choice is None:
        return newest_first, 1
    if choice == "all":
        return newest_first, len(newest_first)
    if choice == "specific":
        asked = [number for number in newest_first if number in policy.specific.versions]
        return asked, len(asked)
    return newest_first, max(policy.latest.num_versions, 1)
