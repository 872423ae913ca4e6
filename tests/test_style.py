"""The code is formatted, free of lint and annotated, and its rooms stand in order."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "nfl_keras"
ROOMS = [
    "typing",
    "errors",
    "files",
    "progress",
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
    "reproduction",
    "gallery",
    "bulk",
    "web",
]
# Commands stand above all rooms: the modules with a `main` beside the rooms, and each `__main__`.
COMMANDS = [
    file
    for file in [*PACKAGE.glob("*.py"), *PACKAGE.rglob("*/__main__.py")]
    if "\ndef main(" in file.read_text()
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


def test_mypy_has_nothing_to_say():
    finished = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_public_function_is_annotated():
    missing = []
    for file in PACKAGE.rglob("*.py"):
        for function, owner in _public_functions(ast.parse(file.read_text())):
            given = function.args
            arguments = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs]
            named = [argument for argument in [*arguments, given.kwarg] if argument is not None]
            if owner is not None and "staticmethod" not in map(
                ast.unparse, function.decorator_list
            ):
                named = named[1:]
            if function.returns is None or any(argument.annotation is None for argument in named):
                missing.append(f"{file.relative_to(ROOT)}:{function.lineno} {function.name}")
    assert not missing, "\n".join(missing)


def _public_functions(body, owner=None):
    """Yields the public functions of a module or class, each with the class that it is in."""
    for node in body.body:
        public = not getattr(node, "name", "_").startswith("_")
        if isinstance(node, ast.ClassDef) and public:
            yield from _public_functions(node, node)
        elif isinstance(node, ast.FunctionDef) and (public or node.name == "__init__"):
            yield node, owner


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room):
    files = list(PACKAGE.glob(f"{room}/**/*.py")) or [PACKAGE / f"{room}.py"]
    assert files[0].exists()
    for file in set(files) - set(COMMANDS):
        for imported in _imports(file):
            earlier = imported[1] in ROOMS[: ROOMS.index(room) + 1]
            assert earlier, f"{file.relative_to(ROOT)} imports {'.'.join(imported)}"


def test_what_belongs_to_no_room_is_a_command():
    rooms = {PACKAGE / room for room in ROOMS} | {PACKAGE / f"{room}.py" for room in ROOMS}
    for file in PACKAGE.rglob("*.py"):
        if file not in COMMANDS and file != PACKAGE / "__init__.py":
            assert rooms & {file, *file.parents}, f"{file.relative_to(ROOT)} is in no room"


def test_a_command_imports_no_other():
    modules = {file: file.relative_to(ROOT).with_suffix("").parts for file in COMMANDS}
    for file in COMMANDS:
        for imported in _imports(file):
            others = [m for other, m in modules.items() if other != file]
            of_another = any(imported[: len(module)] == module for module in others)
            assert not of_another, f"{file.relative_to(ROOT)} imports {'.'.join(imported)}"


def _imports(file):
    """Yields every module that a file imports from the package, as a tuple of its parts."""
    folder = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = folder[: len(folder) - node.level + 1] if node.level else ()
            origin = ".".join([*parts, *filter(None, [node.module])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [ast.unparse(node.args[0]).lstrip("f").strip("'\"")]
        for name in names:
            if name.startswith("nfl_keras."):
                yield tuple(name.split("."))
