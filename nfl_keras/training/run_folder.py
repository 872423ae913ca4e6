"""Defines the folder with everything that a run leaves."""

import json
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import keras

from nfl_keras.errors import UserError
from nfl_keras.files import local_path, replacing, write_whole
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.config import TrainConfig, dump_config, load_config
from nfl_keras.typing import Path

STAGES = ("frozen", "untrained", "trained")


class RunFolder:
    """The folder of a run: the paths of its files, and how they are written and read.

    ```
    config.yaml                    every setting, resolved
    metrics.json                   the evaluation before and after training
    report.html                    curves and retrieval grids
    history.json                   loss terms and metrics of each epoch
    bad_images.json                photographs left out, and what is wrong with each (if any)
    choice.json                    how `refit` chose settings; its runs are in choices/ (if any)
    checkpoints/last.keras         the model after the latest epoch, with its optimizer
    checkpoints/best.keras         the model of the epoch with the highest mAP
    checkpoints/blend.keras        their mixture with the model before training (if any)
    checkpoints/step-*.npz         all that `--resume` needs, until the run is finished
    checkpoints/start.npz          the embedder before training, until the run is finished
    cached_views/                  outputs of frozen layers, until the run is finished
    logs/                          TensorBoard
    ```

    A run over several splits holds one such folder per split, `split-0`, ..., and a
    `config.yaml`, `metrics.json` and `report.html` of the whole.

    Args:
        path: str or path.

    Attributes:
        path: `pathlib.Path` of the folder.
        report: `pathlib.Path` of the report.
        logs: `pathlib.Path` of TensorBoard's logs.
        checkpoints: `pathlib.Path` of the folder of models and checkpoints.
        start: `pathlib.Path` of the embedder's weights before training.
        cached_views: `pathlib.Path` of the folder of outputs of frozen layers.
    """

    def __init__(self, path: Path) -> None:
        self.path = local_path(path)
        self.report = self.path / "report.html"
        self.logs = self.path / "logs"
        self.checkpoints = self.path / "checkpoints"
        self.start = self.checkpoints / "start.npz"
        self.cached_views = self.path / "cached_views"

    @classmethod
    def create(
        cls, path: Path, config: TrainConfig, bad_images: Mapping[str, str] | None = None
    ) -> "RunFolder":
        """Makes the folder of a new run, and writes its config and its bad photographs.

        Args:
            path: str or path, new or an empty folder.
            config: `TrainConfig`, written to `config.yaml`.
            bad_images: mapping from ids to reasons, written to `bad_images.json` if there are
                any. Defaults to none.

        Returns:
            The `RunFolder`.

        Raises:
            UserError: if the folder holds anything, or cannot be written.
        """
        folder = cls(path)
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            occupied = any(folder.path.iterdir())
            if not occupied:
                if bad_images:
                    folder.write_json("bad_images.json", bad_images)
                write_whole(folder.path / "config.yaml", dump_config(config))
        except OSError as error:
            raise UserError(
                f"cannot write to the run folder {str(path)!r} ({error.strerror}); name another "
                f"with --run-dir."
            ) from error
        if occupied:
            what = "another run" if folder.exists else "other files"
            raise UserError(
                f"the run folder {str(path)!r} holds {what}; name a new one with --run-dir."
            )
        return folder

    @property
    def exists(self) -> bool:
        """bool, whether this is the folder of a run."""
        return (self.path / "config.yaml").exists()

    @property
    def finished(self) -> bool:
        """bool, whether the run is finished: it writes the report last."""
        return self.report.exists()

    def config(self) -> TrainConfig:
        """Reads the run's `TrainConfig`.

        Raises:
            UserError: if this is not the folder of a run, or its recipe is a class from outside
                of nfl_keras that this command has not imported.
        """
        return load_config(self._read("config.yaml"))

    def bad_images(self) -> dict[str, str]:
        """Reads which photographs the run left out.

        Returns:
            Dict from ids to what is wrong with each.

        Raises:
            UserError: if the list cannot be read.
        """
        path = self.path / "bad_images.json"
        if not path.exists():
            return {}
        try:
            bad = json.loads(self._read(path.name))
        except ValueError:
            bad = None
        if not isinstance(bad, dict):
            raise UserError(f"{str(path)!r} is not the list that the run wrote; train anew.")
        return bad

    def metrics(self) -> dict[str, Any]:
        """Reads `metrics.json`.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            return json.loads(self._read("metrics.json"))
        except ValueError as error:
            path = str(self.path / "metrics.json")
            raise UserError(f"{path!r} is not what the run wrote; train anew.") from error

    def choice(self) -> dict[str, Any] | None:
        """Reads how the run chose its settings, or returns `None` if it did not."""
        path = self.path / "choice.json"
        return json.loads(path.read_text()) if path.exists() else None

    def reports(self) -> dict[str, RetrievalReport]:
        """Reads the reports of the frozen backbone, the untrained and the trained model.

        Returns:
            Dict of `"frozen"`, `"untrained"` and `"trained"`. The keys in the reports are strings.

        Raises:
            UserError: if it cannot be read.
        """
        found = self.metrics()
        try:
            return {stage: RetrievalReport(**found[stage]) for stage in STAGES}
        except (KeyError, TypeError) as error:
            path = str(self.path / "metrics.json")
            raise UserError(f"{path!r} is not what the run wrote; train anew.") from error

    def split(self, seed: int) -> "RunFolder":
        """Returns the `RunFolder` of one split of a run over several."""
        return RunFolder(self.path / f"split-{seed}")

    def checkpoint(self, name: str) -> pathlib.Path:
        """Returns the path of a saved model, such as `"last"` or `"best"`."""
        return self.checkpoints / f"{name}.keras"

    def save_checkpoint(self, model: keras.Model, name: str) -> None:
        """Saves a model at `checkpoint(name)`, whole or not at all."""
        with replacing(self.checkpoint(name)) as partial:
            model.save(partial)

    def copy_checkpoint(self, name: str, copy: str) -> None:
        """Copies the model at `checkpoint(name)` to `checkpoint(copy)`, whole or not at all."""
        with replacing(self.checkpoint(copy)) as partial:
            shutil.copyfile(self.checkpoint(name), partial)

    def write_json(self, name: str, value: Any) -> None:
        """Writes a JSON file of the run, whole or not at all."""
        write_whole(self.path / name, json.dumps(value, indent=2) + "\n")

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text()
        except OSError as error:
            raise UserError(
                f"{str(self.path)!r} is not the folder of a finished run: {name} cannot be read "
                f"({error.strerror})."
            ) from error
