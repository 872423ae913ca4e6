"""The folder that holds everything a run leaves behind."""

import json
import pathlib

from nfl_keras.errors import UserError
from nfl_keras.files import replacing, write_whole
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.config import dump_config, load_config


class RunFolder:
    """Paths of a run's results, and how they are written.

    ```
    config.yaml                    every setting, resolved
    metrics.json                   the evaluation before and after training
    report.html                    curves and retrieval grids
    history.json                   loss terms and metrics of each epoch
    bad_images.json                photographs left out, and what is wrong with each (if any)
    checkpoints/last.keras         the model after the latest epoch, with its optimizer
    checkpoints/best.keras         the model of the epoch with the highest mAP
    checkpoints/step-*.npz         all that `--resume` needs, until the run is finished
    logs/                          TensorBoard
    ```

    A run over several splits holds one such folder per split, `split-0`, ..., and a
    `config.yaml`, `metrics.json` and `report.html` of the whole.

    Args:
        path: str or `pathlib.Path`.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.report = self.path / "report.html"
        self.logs = self.path / "logs"
        self.checkpoints = self.path / "checkpoints"

    @classmethod
    def create(cls, path, config, bad=()):
        """Makes the folder and writes its `config.yaml`, and `bad_images.json` if there are any.

        Raises:
            UserError: if it holds anything already, or cannot be written.
        """
        folder = cls(path)
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            occupied = any(folder.path.iterdir())
            if not occupied:
                if bad:
                    folder.write_json("bad_images.json", bad)
                write_whole(folder.path / "config.yaml", dump_config(config))
        except OSError as error:
            raise UserError(
                f"cannot write to the run folder {str(path)!r} ({error.strerror}); name another "
                f"with --run-dir."
            ) from error
        if occupied:
            what = "another run" if folder.begun else "other files"
            raise UserError(
                f"the run folder {str(path)!r} holds {what}; name a new one with --run-dir."
            )
        return folder

    @property
    def begun(self):
        """bool, whether this is the folder of a run."""
        return (self.path / "config.yaml").exists()

    @property
    def finished(self):
        """bool, whether the run has left everything behind; the report is the last of it."""
        return self.report.exists()

    def config(self):
        """The run's `TrainConfig`.

        Raises:
            UserError: if this is not a run folder.
        """
        return load_config(self._read("config.yaml"))

    def bad_images(self):
        """The photographs that the run left out, a dict from id to what is wrong with it.

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

    def trained(self):
        """The `RetrievalReport` of the trained model; the keys of its dicts are strings.

        Raises:
            UserError: if it cannot be read.
        """
        content = self._read("metrics.json")
        try:
            return RetrievalReport(**json.loads(content)["trained"])
        except (ValueError, KeyError, TypeError) as error:
            path = str(self.path / "metrics.json")
            raise UserError(f"{path!r} is not what the run wrote; train anew.") from error

    def split(self, seed):
        """The `RunFolder` of one split of a run over several."""
        return RunFolder(self.path / f"split-{seed}")

    def checkpoint(self, which):
        """Path of `"last"` or `"best"`."""
        return self.checkpoints / f"{which}.keras"

    def save_checkpoint(self, model, which):
        """Saves a model as a `.keras` file of the run, whole or not at all."""
        with replacing(self.checkpoint(which)) as partial:
            model.save(partial)

    def write_json(self, name, value):
        """Writes a JSON file of the run, whole or not at all."""
        write_whole(self.path / name, json.dumps(value, indent=2) + "\n")

    def _read(self, name):
        try:
            return (self.path / name).read_text()
        except OSError as error:
            raise UserError(
                f"{str(self.path)!r} is not the folder of a finished run: {name} cannot be read "
                f"({error.strerror})."
            ) from error
