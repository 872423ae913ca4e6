"""What the README tells people to run."""

import pathlib
import re

import keras
import numpy as np
import pytest
from PIL import Image

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture
def photographs(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("ash", "beech", "cedar", "elm"):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for number in range(5):
            pixels = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photographs" / name / f"{number}.jpg")
    return tmp_path / "photographs"


def test_model_fit_on_a_users_own_dataset(photographs, monkeypatch):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert "model.fit(dataset" in snippet
    assert len(snippet.splitlines()) <= 10
    monkeypatch.chdir(photographs.parent)
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)

    assert np.isfinite(names["model"].history.history["loss"]).all()
    assert names["vectors"].shape == (20, 128)
    np.testing.assert_allclose(np.linalg.norm(names["vectors"], axis=1), 1, rtol=1e-5)
    images = np.zeros((1, 64, 64, 3), "float32")
    saved = keras.saving.load_model("embedder.keras")
    np.testing.assert_allclose(saved(images), names["embedder"](images), atol=1e-6)


def test_every_dependency_is_named_and_no_other():
    pyproject = (pathlib.Path(__file__).parent.parent / "pyproject.toml").read_text()
    dependencies = pyproject.split("\ndependencies = [\n")[1].split("\n]\n")[0]
    declared = set(re.findall(r'^    "([a-z0-9-]+)[^"]*",$', dependencies, flags=re.MULTILINE))
    extras = re.findall(r"^(?:test|jax|torch) = \[(.*)\]$", pyproject, flags=re.MULTILINE)
    assert len(extras) == 3
    declared |= set(re.findall(r'"([a-z-]+)', " ".join(extras)))
    table = README.split("## What it stands on")[1].split("`tensorflow-addons`")[0]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \|", table, flags=re.MULTILINE)
    named = {name for row in rows for name in row.split(", ")} - {"dependency"}
    assert named == declared
