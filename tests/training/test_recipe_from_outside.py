"""A recipe in a file of the user's own, named on the command line."""

import json
import shutil
import sys

import pytest
import yaml

from nfl_keras import evaluate, train
from nfl_keras.export import __main__ as export
from nfl_keras.models.recipes import find_recipe, import_recipe

NAME = "my_recipes.hinge.HingeModel"
SOURCE = '''
"""The mean similarity to other classes must stay a margin below that to the own class."""

from keras import ops

from nfl_keras.models import Learner, Term


class HingeModel(Learner):
    """A hinge on mean similarities.

    Args:
        embedder: `nfl_keras.models.Embedder`.
        margin: float, by which the own class must be nearer. Defaults to `0.5`.
        **kwargs: as for `keras.Model`.
    """

    def __init__(self, embedder, margin: float = 0.5, **kwargs):
        super().__init__(embedder, [Term("hinge", 1.0, self._hinge)], **kwargs)
        self.margin = margin

    def _hinge(self, outputs):
        similarity = outputs.clean @ ops.transpose(outputs.clean)
        same = ops.cast(ops.equal(outputs.labels[:, None], outputs.labels), "float32")
        own = ops.sum(same * similarity, axis=1) / ops.sum(same, axis=1)
        others = ops.sum((1 - same) * similarity, axis=1) / ops.sum(1 - same, axis=1)
        return ops.relu(self.margin + others - own)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the user's package."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "my_recipes").mkdir()
    (folder / "my_recipes" / "hinge.py").write_text(SOURCE)
    return folder


def forget(patched):
    """Leaves the process as one that never imported the package."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "my_recipes"]:
        patched.delitem(sys.modules, module)


@pytest.fixture(scope="module")
def run(folder, draw_photographs, quick_in):
    """The folder of a run by the recipe, trained from the command line."""
    draw_photographs(folder / "photographs")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        train.main(quick_in(folder)(recipe=NAME, margin=0.7))
        forget(patched)
    return folder / "run"


@pytest.fixture
def copied(run, tmp_path):
    """A copy of the run's folder, as someone else would send it."""
    return shutil.copytree(run, tmp_path / "sent")


@pytest.fixture(autouse=True)
def _unknown(folder, run, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    forget(monkeypatch)


def test_a_recipe_of_ones_own_is_trained_with_a_setting_of_its_own(run):
    history = json.loads((run / "history.json").read_text())
    assert history["hinge"][-1] < history["hinge"][0]
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["recipe"] == {"name": NAME, "margin": 0.7}
    assert "mAP" in (run / "report.html").read_text()


def test_help_explains_the_settings_of_a_recipe_of_ones_own(capsys):
    with pytest.raises(SystemExit):
        train.main(["--recipe", NAME, "--help"])
    assert "by which the own class must be nearer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (evaluate, ["RUN"]),
        (train, ["--resume", "RUN"]),
        (train, ["--config", "RUN/config.yaml"]),
        (export, ["RUN", "--to", "RUN/models"]),
    ],
    ids=["evaluate", "resume", "config", "export"],
)
def test_nothing_that_a_user_opens_has_the_recipes_code_run(copied, capsys, command, arguments):
    (copied / "report.html").unlink()
    with pytest.raises(SystemExit) as exit_info:
        command.main([argument.replace("RUN", str(copied)) for argument in arguments])
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert f"add --recipe {NAME} to this command" in error
    assert len(error.splitlines()) == 1
    assert not any(name.startswith("my_recipes") for name in sys.modules)


def test_a_user_who_names_the_recipe_evaluates_the_run_again(copied, capsys):
    trained = json.loads((copied / "metrics.json").read_text())["trained"]
    evaluate.main([str(copied), "--recipe", NAME])
    assert f"{trained['map']:.4f}" in capsys.readouterr().out


def test_a_user_who_names_the_recipe_exports_the_run(copied, capsys):
    export.main([str(copied), "--to", str(copied / "models"), "--recipe", NAME])
    assert (copied / "models" / "embedder" / "1" / "saved_model.pb").exists()


def test_a_user_who_names_the_recipe_resumes_the_run(copied, capsys):
    train.main(["--resume", str(copied), "--recipe", NAME])
    assert "is finished" in capsys.readouterr().out


def test_another_recipe_than_that_of_the_run_is_refused(copied, capsys):
    (copied / "config.yaml").write_text("recipe:\n  name: noise-invariant\n")
    with pytest.raises(SystemExit) as exit_info:
        train.main(["--resume", str(copied), "--recipe", NAME])
    assert exit_info.value.code == 2
    assert f"has another recipe than {NAME}" in capsys.readouterr().err


def test_a_module_in_this_process_is_found_without_an_import(folder):
    import_recipe(NAME)
    assert find_recipe(NAME).__name__ == "HingeModel"
