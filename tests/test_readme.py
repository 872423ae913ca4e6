"""What the README tells people to run."""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import keras
import keras_hub
import numpy as np
import pytest
from PIL import Image

import nfl_keras as nfl
from nfl_keras.__main__ import main

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SEARCH = (ROOT / "docs" / "search.md").read_text()


@pytest.fixture
def draw_photographs(tmp_path, monkeypatch):
    """Function that draws a folder `photographs` into the working directory.

    Args of the function: sizes, the number of photographs in each class folder.
    """
    monkeypatch.chdir(tmp_path)

    def draw(sizes):
        rng = np.random.default_rng(0)
        for name, images in enumerate(sizes):
            folder = tmp_path / "photographs" / f"species {name:02}"
            folder.mkdir(parents=True)
            for number in range(images):
                pixels = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.jpg")

    return draw


@pytest.fixture
def run(tmp_path):
    """Function that runs a command of the README, which begins with the words given.

    The preset is a small one, since the README's would be downloaded, and the run is the one that
    was made. Everything else is as it stands there.
    """
    sizes = {"num_layers": 1, "num_heads": 1, "hidden_dim": 4, "mlp_dim": 4, "patch_size": 32}
    backbone = keras_hub.models.ViTBackbone(image_shape=(224, 224, 3), **sizes)
    backbone.save_to_preset(tmp_path / "preset")

    def arguments(words):
        (command,) = re.findall(rf"^nfl-keras ({words} .*)$", README, flags=re.MULTILINE)
        command = command.replace("resnet_18_imagenet", "preset")
        made = next(iter(tmp_path.glob("runs/*")), None)
        return shlex.split(re.sub(r"runs/\S+", str(made), command))

    return arguments


def test_commands_from_photographs_to_a_served_model(draw_photographs, run, capfd):
    # A batch is 8 photographs of each of 8 classes. The other half of the classes is searched.
    draw_photographs([8] * 8 + [2] * 8)
    main(run("train"))
    trained = capfd.readouterr().out
    assert re.search(r"report: runs/photographs-.*/report\.html\n$", trained)
    main(run("evaluate"))
    (found,) = re.findall(r"^mAP +(\S+)$", capfd.readouterr().out, flags=re.MULTILINE)
    assert re.search(rf"^trained .* mAP {found}$", trained, flags=re.MULTILINE)
    main(run("index"))
    assert "gallery: 80 photographs: 80 embedded now" in capfd.readouterr().out
    shutil.copy("photographs/species 03/1.jpg", "rose.jpg")
    main(run("search"))
    assert "1.000  species 03  species 03/1.jpg" in capfd.readouterr().out
    (explain,) = re.findall(r"^nfl-keras (search .* --explain)$", SEARCH, flags=re.MULTILINE)
    shutil.copy("rose.jpg", "tulip.jpg")
    main(shlex.split(explain))
    assert pathlib.Path("page.html").read_text().count("Why answer") == 6
    main(run("export"))
    command = [sys.executable, "-m", "nfl_keras", *run("serve")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert ":8500" in server.stdout.readline()
            (call,) = re.findall(r"`(nfl\.serving\.Client\(.*?\))`", README)
            paths = sorted(pathlib.Path("photographs").rglob("*.jpg"))[:2]
            result = eval(call, {"nfl": nfl, "paths": paths})
            assert result.embeddings.shape == (2, 128)
        finally:
            server.terminate()
            server.communicate()


def test_the_figure_of_noise(draw_photographs, run):
    draw_photographs([1])
    pathlib.Path("photographs/species 00/0.jpg").rename("rose.jpg")
    main(run("noise-figure"))
    with Image.open("windows.png") as figure:
        assert min(figure.size) > 100


def test_model_fit_on_a_users_own_dataset(draw_photographs):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert "model.fit(dataset" in snippet
    assert len(snippet.splitlines()) <= 10
    draw_photographs([5] * 4)
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)

    assert np.isfinite(names["model"].history.history["loss"]).all()
    assert names["vectors"].shape == (20, 128)
    np.testing.assert_allclose(np.linalg.norm(names["vectors"], axis=1), 1, rtol=1e-5)
    images = np.zeros((1, 64, 64, 3), "float32")
    saved = keras.saving.load_model("embedder.keras")
    np.testing.assert_allclose(saved(images), names["embedder"](images), atol=1e-6)


def test_every_dependency_is_named_and_no_other():
    pyproject = pathlib.Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text())["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.match("[a-z0-9-]+", requirement).group()
        for requirements in (project["dependencies"], *map(extras.get, ("test", "jax", "torch")))
        for requirement in requirements
    }
    table = README.split("## What it stands on")[1].split("`tensorflow-addons`")[0]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \|", table, flags=re.MULTILINE)
    named = {name for row in rows for name in row.split(", ")} - {"dependency"}
    assert named == declared
