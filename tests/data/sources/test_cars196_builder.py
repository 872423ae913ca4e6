import importlib.util
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from nfl_keras.data.sources.cars196 import cars196
from nfl_keras.data.sources.cars196_builder import StanfordCars196
from nfl_keras.data.sources.tfds_dataset import tfds_dataset

CLASSES = {"train": [1, 196, 7, 7, 120, 1], "test": [196, 7, 1, 120]}
NAMES = [f"Marque {number} Sedan 2012" for number in range(1, 197)]


@pytest.fixture(scope="module")
def cars(tmp_path_factory, encoded, noise):
    """A folder in the devkit's layout, of ten photographs."""
    root = tmp_path_factory.mktemp("cars")
    (root / "devkit").mkdir()
    names = np.array(NAMES, dtype=object)[None]
    scipy.io.savemat(root / "devkit" / "cars_meta.mat", {"class_names": names})
    for split, file in (("train", "train_annos"), ("test", "test_annos_withlabels")):
        (root / f"cars_{split}").mkdir()
        fields = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
        rows = np.zeros((1, len(CLASSES[split])), [(field, object) for field in fields])
        for i, number in enumerate(CLASSES[split]):
            rows[0, i] = (1, 1, 6, 5, number, f"{i + 1:05d}.jpg")
            photograph = encoded(noise(6, 8, seed=10 * number + i), "JPEG")
            (root / f"cars_{split}" / f"{i + 1:05d}.jpg").write_bytes(photograph)
        scipy.io.savemat(root / "devkit" / f"cars_{file}.mat", {"annotations": rows})
    return root


def check(image_set, root):
    """What was prepared is what lies in the folder."""
    assert len(image_set) == 10
    for i, name in enumerate(image_set.ids):
        folder, number = name.split("/")
        split = folder.removeprefix("cars_")
        official = CLASSES[split][int(number.removesuffix(".jpg")) - 1]
        assert image_set.class_names[image_set.labels[i]] == NAMES[official - 1]
        assert image_set.own_split[i] == split
        assert image_set.read(i) == (root / name).read_bytes()


@pytest.mark.parametrize("file_format", ["array_record", "tfrecord"])
def test_a_manual_folder_is_prepared_and_read(cars, tmp_path, file_format):
    tfds.disable_progress_bar()
    builder = StanfordCars196(data_dir=str(tmp_path), file_format=file_format)
    config = tfds.download.DownloadConfig(manual_dir=str(cars))
    builder.download_and_prepare(download_config=config)
    check(tfds_dataset("stanford_cars196", tmp_path), cars)
    assert sorted(tfds_dataset("stanford_cars196", tmp_path).ids) == sorted(cars196(cars).ids)


def test_tfds_knows_it_beside_its_own():
    assert tfds.builder_cls("stanford_cars196") is StanfordCars196
    assert tfds.builder_cls("cars196") is not StanfordCars196


def test_without_a_manual_folder_the_files_expected_are_told(tmp_path):
    builder = StanfordCars196(data_dir=str(tmp_path))
    with pytest.raises(AssertionError, match=r"cars_test_annos_withlabels\.mat"):
        builder.download_and_prepare()


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("apache_beam", "mlcroissant")),
    reason="the tfds command imports apache_beam and mlcroissant",
)
def test_the_command_as_a_person_runs_it(cars, tmp_path):
    command = pathlib.Path(sys.executable).parent / "tfds"
    arguments = [
        *("build", "stanford_cars196"),
        *("--imports", "nfl_keras.data.sources.cars196_builder"),
        *("--manual_dir", cars, "--data_dir", tmp_path, "--file_format=array_record"),
    ]
    subprocess.run([command, *arguments], check=True, capture_output=True, cwd=tmp_path)
    check(tfds_dataset("stanford_cars196", tmp_path), cars)
