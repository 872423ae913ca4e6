"""Small photographs and a model in files, since workers open both by themselves."""

import functools
import importlib

import numpy as np
import pytest
from PIL import Image

import nfl_keras as nfl
from nfl_keras.bulk import shard_writer
from nfl_keras.gallery import gallery
from nfl_keras.gallery.photograph_model import open_model

module = importlib.import_module("nfl_keras.bulk.embed_to_shards")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The path of an embedder of photographs of 32 pixels."""
    path = tmp_path_factory.mktemp("model") / "embedder.keras"
    nfl.models.Embedder("tiny", embedding_dim=16, image_size=32).save(path)
    return str(path)


@pytest.fixture
def images(tmp_path):
    """A folder with 13 photographs of three classes, one of which cannot be used."""
    rng = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / "images" / f"class {number % 3}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)).save(path)
    (tmp_path / "images/class 1/bad.jpg").write_text("no picture")
    return tmp_path / "images"


@pytest.fixture
def without_ray(monkeypatch):
    """Lets one worker in this process embed the shards. Returns the names of those it wrote.

    An item of the list that is an exception is raised before the next shard.
    """
    written = []
    for opening in (module, shard_writer, gallery):
        monkeypatch.setattr(opening, "open_model", _open_once)

    def here(worker, arguments, tables, *of_ray):
        writer = worker(*arguments[:-1])
        for table in tables:
            if written and isinstance(written[-1], BaseException):
                raise written.pop()
            written.append(table["shard"][0].as_py())
            yield from writer(table).to_pylist()

    monkeypatch.setattr(module, "on_ray", here)
    return written


_open_once = functools.cache(open_model)
