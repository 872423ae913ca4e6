"""One served name: its versions, and which of them answer."""

import logging
import threading

from grpc import StatusCode

from nfl_keras.servable.version_folder import versions_in
from nfl_keras.serving.server.folders import wanted_versions
from nfl_keras.serving.server.request_error import RequestError
from nfl_keras.serving.server.version import Version

_log = logging.getLogger(__name__)


class Model:
    """A model by its name, with the folder its versions come from.

    Args:
        name: str.
        base_path: path, the folder of the versions.
        answer: Function from a `LoadedModel` and a `PredictRequest`, for the warm-up.
        policy: `ServableVersionPolicy`, or None for the latest version alone.
        labels: Dict from label to version.
        before: Optional `Model` of the same folder, whose loaded versions this one shares.
    """

    def __init__(self, name, base_path, answer, policy=None, labels=(), before=None):
        self.name = name
        self.base_path = base_path
        self.labels = dict(labels)
        self._policy = policy
        self._answer = answer
        self._lock = threading.Lock()
        self._versions = dict(before._versions) if before is not None else {}

    @property
    def available(self):
        """Numbers of the versions that answer, in ascending order."""
        with self._lock:
            return sorted(n for n, v in self._versions.items() if v.state == "AVAILABLE")

    @property
    def last_error(self):
        """Why the newest refused version was refused; empty if none was."""
        with self._lock:
            return next((v.error for _, v in sorted(self._versions.items())[::-1] if v.error), "")

    @property
    def in_use(self):
        """Whether a replaced version still has requests under way."""
        with self._lock:
            return any(version.state == "UNLOADING" for version in self._versions.values())

    def refresh(self):
        """Takes up versions that have appeared and lets go of those no longer wanted.

        A new version is loaded and warmed up while the old one answers, then takes its place. The
        last good one goes on for one that cannot be loaded, which is logged, and tried again once
        its files change; a refusal for the same reason as before is not logged again.
        """
        wanted = self.take_up()
        if wanted:
            self.keep_only(wanted)

    def take_up(self):
        """Loads the versions that are wanted and not loaded yet; numbers of all wanted ones."""
        found = versions_in(self.base_path)
        candidates, count = wanted_versions(self._policy, found)
        wanted = []
        for number in candidates:
            if len(wanted) < count and self._is_usable(number, found[number]):
                wanted.append(number)
        return wanted

    def keep_only(self, wanted):
        """Lets go of the versions that are not wanted."""
        with self._lock:
            for number, version in self._versions.items():
                if number not in wanted:
                    version.retire()

    def release_idle(self):
        """Unloads replaced versions whose last request is done; whether there was one."""
        with self._lock:
            released = [v for v in self._versions.values() if v.unload_when_idle()]
        for version in released:
            _log.info("%s: version %d is released", self.name, version.number)
        return bool(released)

    def acquire(self, spec):
        """The version a request names, counted as in use until its `release`.

        Args:
            spec: `ModelSpec`; without version and label it means the newest.

        Raises:
            RequestError: NOT_FOUND for a version that is not served; INVALID_ARGUMENT for an
                unknown label.
        """
        number = self.number_of(spec)
        with self._lock:
            for version in sorted(self._versions.values(), key=lambda v: v.number, reverse=True):
                if number in (None, version.number) and version.acquire():
                    return version
        asked = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise RequestError(StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")

    def statuses(self, number=None):
        """The `ModelVersionStatus` of every version seen, or of one, in ascending order."""
        with self._lock:
            versions = sorted(self._versions.items())
        return [version.status() for n, version in versions if number in (None, n)]

    def number_of(self, spec):
        """The version number that a `ModelSpec` names by number or label; None for the newest."""
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            if spec.version_label not in self.labels:
                raise RequestError(
                    StatusCode.INVALID_ARGUMENT,
                    f"Unrecognized servable version label: {spec.version_label}",
                )
            return self.labels[spec.version_label]
        return spec.version.value if choice == "version" else None

    def _is_usable(self, number, path):
        before = self._versions.get(number)
        if before is not None and before.state == "AVAILABLE":
            return True
        known = before.error if before is not None else ""
        if known and not before.changed_since_refused():
            return False
        version = Version(self.name, number, path)
        with self._lock:
            self._versions[number] = version
        if not version.load(self._answer):
            if version.error != known:
                _log.error("%s: version %d is refused: %s", self.name, number, version.error)
            return False
        with self._lock:
            version.publish()
        _log.info("%s: version %d is served", self.name, number)
        return True
