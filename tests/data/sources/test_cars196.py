import os
import pathlib

import numpy as np
import pytest
import scipy.io

from nfl_keras.data.sources import cars196 as module
from nfl_keras.data.sources import whereabouts
from nfl_keras.data.sources.cars196 import cars196
from nfl_keras.data.sources.open_dataset import open_dataset
from nfl_keras.errors import UserError

# Not in alphabetical order, as the official names are not.
NAMES = ["Acura TSX 2012", "Acura Integra 2001", "Ram C/V Cargo Van 2012", "smart fortwo 2012"]
TRAIN = [("00001.jpg", 3), ("00002.jpg", 1), ("00003.jpg", 2), ("00004.jpg", 4)]
TEST = [("00001.jpg", 2), ("00002.jpg", 4), ("00003.jpg", 3)]


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def annotations(path, rows, name_field="fname", **fields):
    """A struct array, boxes among its fields, as the devkit's."""
    names = ["bbox_x1", "bbox_x2", *fields, "class", name_field]
    made = np.zeros((1, len(rows)), [(name, object) for name in names])
    for i, (file, number) in enumerate(rows):
        made[0, i] = (1, 9, *(values[i] for values in fields.values()), number, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"annotations": made})


def class_names(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"class_names": np.array([NAMES], object)})


def devkit(root, below, nested=False, test=True):
    class_names(root / below / "cars_meta.mat")
    annotations(root / below / "cars_train_annos.mat", TRAIN)
    if test:
        annotations(root / below / "cars_test_annos_withlabels.mat", TEST)
    for split, rows in (("cars_train", TRAIN), ("cars_test", TEST if test else [])):
        folder = f"{split}/{split}" if nested else split
        touch(root, *(f"{folder}/{name}" for name, _ in rows))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(module, "NUM_PHOTOGRAPHS", 7)
    monkeypatch.setattr(whereabouts, "find_prepared", lambda names, data_dir=None: None)


def described(image_set):
    """(class name, own split) by file name; every read must give its own file."""
    for i, photograph in enumerate(image_set.ids):
        assert image_set.read(i) == photograph.encode()
    return {
        str(photograph): (image_set.class_names[label], str(split))
        for photograph, label, split in zip(
            image_set.ids, image_set.labels, image_set.own_split, strict=True
        )
    }


@pytest.mark.parametrize("below", [".", "devkit", "car_devkit/devkit"])
@pytest.mark.parametrize("nested", [False, True])
def test_the_devkit_layout(tmp_path, below, nested):
    devkit(tmp_path, below, nested)
    image_set = cars196(str(tmp_path))
    assert image_set.class_names == tuple(NAMES)
    assert image_set.description == ""
    train, test = ("cars_train/" * (1 + nested), "cars_test/" * (1 + nested))
    assert described(image_set) == {
        **{train + name: (NAMES[number - 1], "train") for name, number in TRAIN},
        **{test + name: (NAMES[number - 1], "test") for name, number in TEST},
    }


def test_the_annotations_as_kaggle_names_them(tmp_path):
    devkit(tmp_path, "devkit")
    (tmp_path / "devkit" / "cars_test_annos_withlabels.mat").rename(
        tmp_path / "cars_test_annos_withlabels (1).mat"
    )
    assert len(cars196(tmp_path)) == 7


def test_without_names_classes_are_numbered(tmp_path):
    devkit(tmp_path, "devkit")
    (tmp_path / "devkit" / "cars_meta.mat").unlink()
    image_set = cars196(tmp_path)
    assert image_set.class_names == ("1", "2", "3", "4")
    assert described(image_set)["cars_train/00001.jpg"] == ("3", "train")


def test_one_annotation_is_a_list_of_one(tmp_path):
    devkit(tmp_path, "devkit")
    annotations(tmp_path / "devkit" / "cars_test_annos_withlabels.mat", TEST[:1])
    assert len(cars196(tmp_path)) == 5


def test_the_combined_layout(tmp_path):
    rows = [(f"car_ims/{i:06d}.jpg", number) for i, number in enumerate([1, 1, 2, 3, 4, 4, 3], 1)]
    test = [0, 1, 0, 1, 0, 1, 0]
    annotations(tmp_path / "cars_annos.mat", rows, "relative_im_path", test=test)
    class_names(tmp_path / "devkit" / "cars_meta.mat")
    touch(tmp_path, *(name for name, _ in rows))
    assert described(cars196(tmp_path)) == {
        name: (NAMES[number - 1], "test" if in_test else "train")
        for (name, number), in_test in zip(rows, test, strict=True)
    }


@pytest.mark.parametrize("below", [".", "car_data", "car_data/car_data"])
@pytest.mark.parametrize("meta", [None, "cars_meta.mat", "devkit/cars_meta.mat"])
def test_the_layout_of_class_folders(tmp_path, below, meta):
    folder = {number: name.replace("/", "-") for number, name in enumerate(NAMES, 1)}
    if meta:
        class_names(tmp_path / meta)
    expected = {}
    for split, rows in (("train", TRAIN), ("test", TEST)):
        for name, number in rows:
            path = pathlib.PurePosixPath(below, split, folder[number], name)
            touch(tmp_path, str(path))
            expected[str(path)] = (NAMES[number - 1] if meta else folder[number], split)
    image_set = cars196(tmp_path)
    assert described(image_set) == expected
    assert image_set.class_names == tuple(NAMES if meta else sorted(folder.values()))


def test_a_class_folder_of_another_name_is_refused(tmp_path):
    class_names(tmp_path / "cars_meta.mat")
    touch(tmp_path, "train/Acura TSX 2012/1.jpg", "train/Trabant 601/2.jpg")
    with pytest.raises(UserError, match="names no class like the folder 'Trabant 601'") as refused:
        cars196(tmp_path)
    assert "\n" not in str(refused.value)


def test_missing_photographs(tmp_path):
    devkit(tmp_path, "devkit")
    (tmp_path / "cars_train" / "00002.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of the 7 .* \(the first: cars_train/00002\.jpg\)"):
        cars196(tmp_path)
    part = cars196(tmp_path, "skip")
    assert [part.class_names[label] for label in part.classes] == NAMES[1:]
    assert part.description == "in part: 6 of 7 photographs"


@pytest.mark.parametrize("missing", ["cars_train_annos.mat", "cars_test_annos_withlabels.mat"])
def test_missing_annotations(tmp_path, missing):
    devkit(tmp_path, "devkit")
    (tmp_path / "devkit" / missing).unlink()
    with pytest.raises(UserError, match=rf"^{missing} is not in .* have no labels") as refused:
        cars196(tmp_path)
    assert "\n" not in str(refused.value)
    part = cars196(tmp_path, "skip")
    kept = "test" if "train" in missing else "train"
    assert set(part.own_split) == {kept}
    assert part.description == f"in part: {len(part)} of 7 photographs"
    assert len(part) == {"train": 4, "test": 3}[kept]


@pytest.mark.parametrize("content", [b"", b"\x00" * 400, b"MATLAB 7.3 MAT-file", None])
def test_annotations_that_cannot_be_read_are_named(tmp_path, content):
    devkit(tmp_path, "devkit")
    file = tmp_path / "devkit" / "cars_train_annos.mat"
    if content is None:
        scipy.io.savemat(file, {"annotations": np.zeros((1, 3))})
    else:
        file.write_bytes(content)
    with pytest.raises(UserError, match=r"cars_train_annos\.mat' does not hold the annotations"):
        cars196(tmp_path)


def test_names_in_the_annotations_cannot_lead_out(tmp_path):
    devkit(tmp_path / "cars", "devkit")
    annotations(tmp_path / "cars/devkit/cars_test_annos_withlabels.mat", [("../../a.jpg", 1)])
    touch(tmp_path, "a.jpg")
    image_set = cars196(tmp_path / "cars")
    with pytest.raises(UserError, match="leads out of"):
        image_set.read(len(image_set) - 1)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_photographs_of_other_names_show_the_first_expected_and_the_first_found(
    tmp_path, missing_images
):
    devkit(tmp_path, "devkit")
    for photograph in tmp_path.glob("cars_*/*.jpg"):
        photograph.rename(photograph.with_name(f"car_{photograph.name}"))
    with pytest.raises(UserError) as refused:
        cars196(tmp_path, missing_images)
    expected, found = (tmp_path / "cars_train" / f"{name}00001.jpg" for name in ("", "car_"))
    assert f"should be {str(expected)!r}, and there is {str(found)!r}." in str(refused.value)


@pytest.mark.parametrize("there", ["nothing", "annotations", "empty folders"])
@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_where_nothing_is_there_it_says_where_to_get_it(tmp_path, there, missing_images):
    if there == "annotations":
        annotations(tmp_path / "devkit" / "cars_train_annos.mat", TRAIN)
    if there == "empty folders":
        devkit(tmp_path, "devkit")
        for photograph in tmp_path.glob("cars_*/*.jpg"):
            photograph.unlink()
    with pytest.raises(UserError) as refused:
        cars196(tmp_path, missing_images)
    message = str(refused.value)
    assert message.startswith(f"cars196 is not found in {str(tmp_path)!r}")
    for place in ("ai.stanford.edu", "web.archive.org", "jessicali9530", "jutrera", "tfds build"):
        assert place in message
    assert "--file_format=array_record" in message
    assert "  cars_train/\n    00001.jpg\n    ...\n    08144.jpg\n" in message
    assert message.endswith(f"python -m nfl_keras.train --dataset cars196 --data-dir {tmp_path}")


@pytest.mark.parametrize("data_dir", [None, "somewhere"])
def test_what_tfds_has_prepared(monkeypatch, data_dir):
    asked = []
    monkeypatch.setattr(
        whereabouts, "find_prepared", lambda *a: asked.append(a) or "stanford_cars196"
    )
    monkeypatch.setattr(whereabouts, "tfds_dataset", lambda *a: asked.append(a) or "the set")
    assert cars196(data_dir) == "the set"
    assert asked == [(("cars196", "stanford_cars196"), data_dir), ("stanford_cars196", data_dir)]


# ---- The real photographs, of classes 1 to 60, without the test half ----


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setattr(module, "NUM_PHOTOGRAPHS", 16_185)
    folder = os.environ.get("NFL_KERAS_DATA")
    if not folder:
        pytest.skip("NFL_KERAS_DATA does not name the folder that holds cars196_part/")
    return pathlib.Path(folder) / "cars196_part"


def test_the_real_part_by_both_protocols(real):
    dataset = open_dataset("cars196", real, "skip")
    part = "in part: 2,457 of 16,185 photographs"
    assert dataset.whole.description == part
    assert len(dataset.whole.class_names) == 196
    assert dataset.whole.num_classes == 60
    assert dataset.whole.class_names[dataset.whole.classes[59]] == "Chevrolet HHR SS 2010"
    everything = set(dataset.whole.ids)
    assert everything == {f"cars_train/{path.name}" for path in real.glob("cars_train/*.jpg")}
    zero_shot = [dataset.split(split) for split in ("train", "gallery", "query")]
    assert [split.num_classes for split in zero_shot] == [30, 30, 30]
    assert zero_shot[0].classes.tolist() == dataset.whole.classes[:30].tolist()
    assert set(zero_shot[0].ids) | set(zero_shot[2].ids) == everything
    fine_grained = [dataset.split(split, "fine-grained") for split in ("train", "query")]
    assert [split.num_classes for split in fine_grained] == [60, 60]
    for split in (*zero_shot, *fine_grained):
        assert split.description.endswith(part)
        assert split.read(0)[:3] == b"\xff\xd8\xff"
    assert dataset.whole.read(0) == (real / dataset.whole.ids[0]).read_bytes()


def test_the_real_part_is_refused_without_being_asked_for(real):
    with pytest.raises(UserError, match=r"^cars_test_annos_withlabels\.mat is not in"):
        open_dataset("cars196", real)


def test_class_folders_of_the_real_names_halve_as_the_official_order_does(real):
    names = scipy.io.loadmat(real / "cars_meta.mat", squeeze_me=True)["class_names"]
    folders = [str(name).replace("/", "-") for name in names]
    assert set(sorted(folders)[:98]) == set(folders[:98])
    assert len({module._as_folder(name) for name in names}) == 196
