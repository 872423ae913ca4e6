"""The code is formatted, free of lint, and its rooms stand in order."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
ROOMS = [
    "typing",
    "errors",
    "files",
    "distribution",
    "optimizers",
    "data",
    "layers",
    "losses",
    "models",
    "retrieval",
    "servable",
    "export",
    "serving",
    "report",
    "training",
]


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]])
def test_ruff_has_nothing_to_say(arguments):
    finished = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room):
    allowed = {
        "nfl_keras.typing",
        "nfl_keras.errors",
        *(f"nfl_keras.{r}" for r in ROOMS[: ROOMS.index(room) + 1]),
    }
    files = list((ROOT / "nfl_keras").glob(f"{room}/**/*.py")) or [ROOT / f"nfl_keras/{room}.py"]
    for file in files:
        if file.name == "__main__.py":  # a command, which may import any room
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("nfl_keras"):
                imported = ".".join(node.module.split(".")[:2])
                assert imported in allowed, f"{file.relative_to(ROOT)} imports {node.module}"
