"""A small gallery with labels, a year and a threshold, and a folder of visitors' photographs."""

import io

import numpy as np
import pytest
from PIL import Image

import nfl_keras as nfl

LABELS = ("iris", "rose", "tulip")


def photograph(color, size=(24, 32)):
    grain = np.random.default_rng(sum(color)).integers(-9, 10, (*size, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(np.array(color) + grain, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A gallery of 12 photographs of three labels, of which iris/0.png is gone since."""
    root = tmp_path_factory.mktemp("catalog")
    lines = ["path,label,year"]
    for number, label in enumerate(LABELS):
        (root / label).mkdir()
        for year in range(4):
            color = np.roll([230 - 20 * year, 40, 30 + 20 * year], number)
            (root / label / f"{year}.png").write_bytes(photograph(color))
            lines.append(f"{label}/{year}.png,{label},{1990 + year}")
    (root / "catalog.csv").write_text("\n".join(lines))
    nfl.models.Embedder("tiny", embedding_dim=16, image_size=32).save(root / "embedder.keras")
    nfl.Gallery.build(root / "catalog.csv", root / "embedder.keras", root / "gallery")
    (root / "iris" / "0.png").unlink()
    return root / "gallery"


@pytest.fixture(scope="session")
def gallery(folder):
    return nfl.Gallery.open(folder)


@pytest.fixture
def uploads(tmp_path):
    """A folder with one photograph of a visitor, `rose.png`."""
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "rose.png").write_bytes(photograph([30, 230, 40]))
    return tmp_path / "uploads"
