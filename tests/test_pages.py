"""What the pages on search and calibration tell people to run."""

import importlib
import itertools
import pathlib
import re
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

import nfl_keras as nfl
from nfl_keras.__main__ import main
from nfl_keras.web import PageServer

DOCS = pathlib.Path(__file__).parent.parent / "docs"


def shown(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)


@pytest.fixture
def run(capsys):
    """Function that runs the one command of a page that begins with these words."""

    def command(page, words):
        lines = "".join(shown(page, "sh")).splitlines()
        (line,) = [line for line in lines if line.startswith(f"nfl-keras {words}")]
        main(shlex.split(line)[1:])
        return capsys.readouterr().out

    return command


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Folders of 15 photographs of a color, in the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, color in enumerate(itertools.product((30, 220), repeat=3)):
        for number in range(15):
            pixels = np.array(color) + rng.integers(-20, 21, (40, 48, 3))
            for folder in ("photographs", "labeled")[: 1 + (number < 12)]:
                path = pathlib.Path(folder, f"species {name}", f"{number}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((pixels + (folder == "labeled")).astype(np.uint8)).save(path)
    shutil.copy("photographs/species 1/2.png", "rose.jpg")
    shutil.copy("photographs/species 6/3.png", "tulip.jpg")


def test_search_calibration_and_faults(photographs, run, monkeypatch):
    embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    shutil.move(nfl.export_model(embedder, "models"), "runs/photographs-20260101-120000")
    assert "gallery: 120 photographs: 120 embedded now" in run("search.md", "index photographs")
    found = run("search.md", "search rose.jpg --gallery gallery -k")
    assert found.splitlines()[1].split() == ["1", "1.000", "species", "1", "species", "1/2.png"]
    assert len(found.splitlines()) == 6
    learned = run("search.md", "calibrate")
    assert "120 queries of 8 classes, gallery of 120" in learned
    assert learned in run("calibration.md", "calibrate gallery --")
    assert "<svg" in pathlib.Path("calibration.html").read_text()
    assert "96 queries of 8 classes, gallery of 120" in run("calibration.md", "calibrate gallery l")
    assert run("search.md", "search rose.jpg --gallery gallery -k").count("  match") == 5
    for rerank in ("k-reciprocal", "alpha-expansion"):
        reranked = run("search.md", f"search rose.jpg --gallery gallery --rerank {rerank}")
        assert reranked.splitlines()[1].split()[-2:] == ["1/2.png", "match"]
    assert "photographs are in groups" in run("search.md", "inspect")
    assert "<h1>" in pathlib.Path("faults.html").read_text()
    monkeypatch.setattr(PageServer, "run", lambda _: None)  # It would serve until Ctrl-C.
    assert "search at http://127.0.0.1:7860/" in run("search.md", "search --web")


def test_embedding_by_many_processes(photographs, run, monkeypatch):
    def in_this_process(worker, arguments, tables, *of_ray):  # tests/bulk has the others.
        writer = worker(*arguments[:-1])
        return [row for table in tables for row in writer(table).to_pylist()]

    embedding = importlib.import_module("nfl_keras.bulk.embed_to_shards")
    monkeypatch.setattr(embedding, "on_ray", in_this_process)
    embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    shutil.move(nfl.export_model(embedder, "models"), "runs/photographs-20260101-120000")
    embedded = run("search.md", "embed")
    assert "shards: 120 photographs in 1 shards: 120 embedded now" in embedded
    assert "gallery: 120 photographs" in run("search.md", "index --from-embeddings")


def test_search_in_python(photographs, capsys):
    (snippet,) = shown("search.md", "python")
    names = {}
    exec(compile(snippet, "search.md", "exec"), names)
    assert names["table"]["id"].to_pylist()[0] == "species 1/2.png"
    # Whether a unit vector times itself is 1 or the float32 below depends on the random weights.
    assert re.search(r"tulip\.jpg species 6/3\.png (1\.0|0\.9999)", capsys.readouterr().out)
    assert names["why"].is_exact
    assert Image.open("answer.png").size == (448, 373)
