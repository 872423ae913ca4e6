"""`nfl-keras`: the commands of the package under one name, started without what they do not use."""

import pathlib
import re

import pytest

import nfl_keras
from nfl_keras import __main__ as commands
from nfl_keras.distribution import end_together

PACKAGE = pathlib.Path(nfl_keras.__file__).parent
HEAVY = {"faiss", "gradio", "grpc", "keras_hub", "tensorflow_datasets"}
# Keras itself imports matplotlib and scipy where scikit-learn is installed, and pandas, which
# imports pyarrow, where that is.
WITH_KERAS = {"keras", "tensorflow", "matplotlib", "scipy", "pandas", "pyarrow"}


def test_every_command_of_the_package_is_a_subcommand():
    defined = {
        path.stem.replace("_", "-") if path.stem != "__main__" else path.parent.name
        for path in [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__main__.py")]
        if path != PACKAGE / "__main__.py" and "\ndef main(" in path.read_text()
    }
    assert defined == set(commands.COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_names_the_commands(arguments, capsys):
    commands.main(arguments)
    printed = capsys.readouterr().out
    assert printed.startswith("usage: nfl-keras COMMAND")
    for name in commands.COMMANDS:
        assert re.search(rf"^  {name} +[A-Z].*\.$", printed, flags=re.MULTILINE)


def test_version(capsys):
    commands.main(["--version"])
    assert capsys.readouterr().out == f"nfl-keras {nfl_keras.__version__}\n"


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_command_names_itself_as_it_was_called(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        commands.main([name, "--help"])
    assert not stopped.value.code
    assert capsys.readouterr().out.startswith(f"usage: nfl-keras {name} ")


def test_an_unknown_command_is_answered_in_one_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        commands.main(["tune", "--help"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "error: there is no command 'tune'; the commands are train, evaluate, export, index, "
        "embed, inspect, calibrate, search, serve, reproduce, noise-figure.\n"
    )


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_help_imports_only_what_it_needs(name, in_a_fresh_process):
    # The help of `train` holds the settings of Keras models.
    unused = HEAVY if name == "train" else HEAVY | WITH_KERAS
    imported = in_a_fresh_process(
        "import atexit, sys, nfl_keras.__main__ as commands",
        "atexit.register(lambda: print('imported:', *sys.modules))",
        f"commands.main(['{name}', '--help'])",
    ).split("imported:")[1]
    assert not unused & set(imported.split())


@pytest.mark.parametrize("workers", [False, True])
def test_the_process_ends_itself_where_there_are_workers(monkeypatch, workers):
    called = []
    monkeypatch.setattr(commands, "main", lambda: called.append("main"))
    monkeypatch.setattr(end_together, "end_process", lambda: called.append("end"))
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if workers:
        monkeypatch.setenv("TF_CONFIG", "{}")
    commands.command()
    assert called == ["main", "end"][: 1 + workers]
