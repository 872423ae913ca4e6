import functools
import tarfile

import keras
import numpy as np
import pytest

from nfl_keras.data.batches.balanced_batches import balanced_batches
from nfl_keras.data.batches.inference_batches import inference_batches
from nfl_keras.data.decoding.check_images import check_images
from nfl_keras.data.sources import flowers17 as module
from nfl_keras.data.sources.flowers17 import flowers17
from nfl_keras.data.sources.open_dataset import load
from nfl_keras.errors import UserError

# fmt: off
SPECIES = [
    "daffodil", "snowdrop", "lily of the valley", "bluebell", "crocus", "iris", "tigerlily",
    "tulip", "fritillary", "sunflower", "daisy", "coltsfoot", "dandelion", "cowslip",
    "buttercup", "windflower", "pansy",
]
# fmt: on
TREE = """
  jpg/
    image_0001.jpg
    ...
    image_1360.jpg
Then run again, for example:
  python -m nfl_keras.train --dataset flowers17 --data-dir """


@pytest.fixture(scope="module")
def archive(tmp_path_factory, encoded):
    """A folder like the archive's: photograph n is gray of level n // 8."""
    root = tmp_path_factory.mktemp("flowers")
    (root / "jpg").mkdir()
    (root / "jpg" / "files.txt").write_text("the archive holds a list, too")
    grays = [encoded(np.full((8, 8), level), "JPEG") for level in range(171)]
    for number in range(1, 1361):
        (root / "jpg" / f"image_{number:04d}.jpg").write_bytes(grays[number // 8])
    return root


def test_eighty_photographs_of_each_species_in_order(archive):
    image_set = flowers17(str(archive))
    assert len(image_set) == 1360
    assert image_set.class_names == tuple(SPECIES)
    assert image_set.labels.tolist() == [species for species in range(17) for _ in range(80)]
    assert image_set.ids[0] == "jpg/image_0001.jpg"
    assert image_set.ids[80] == "jpg/image_0081.jpg"
    for i in (0, 79, 80, 1359):
        assert image_set.read(i) == (archive / image_set.ids[i]).read_bytes()


def without(root, *numbers):
    (root / "jpg").mkdir()
    for number in range(1, 1361):
        if number not in numbers:
            (root / "jpg" / f"image_{number:04d}.jpg").touch()


def test_missing_photographs_are_counted_and_named(tmp_path):
    without(tmp_path, 7, 1000)
    with pytest.raises(UserError) as refused:
        flowers17(tmp_path)
    message = str(refused.value)
    assert message.startswith("2 of the 1,360 photographs of flowers17")
    assert repr(str(tmp_path)) in message
    assert "jpg/image_0007.jpg, jpg/image_1000.jpg" in message
    assert "missing_images = skip" in message
    assert "\n" not in message


def test_missing_photographs_may_be_left_out(tmp_path):
    without(tmp_path, 7, *range(1281, 1361))
    image_set = flowers17(tmp_path, missing_images="skip")
    assert np.bincount(image_set.labels).tolist() == [79] + [80] * 15
    assert image_set.classes.tolist() == list(range(16))
    assert image_set.class_names == tuple(SPECIES)
    assert image_set.description == "in part: 1,279 of 1,360 photographs"


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_the_folder_of_photographs_itself_shows_the_first_expected_and_the_first_found(
    tmp_path, missing_images
):
    (tmp_path / "image_0001.jpg").touch()
    with pytest.raises(UserError) as refused:
        flowers17(tmp_path, missing_images)
    expected, found = tmp_path / "jpg" / "image_0001.jpg", tmp_path / "image_0001.jpg"
    assert f"should be {str(expected)!r}, and there is {str(found)!r}." in str(refused.value)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_a_folder_that_is_not_there(tmp_path, missing_images):
    with pytest.raises(UserError) as refused:
        flowers17(tmp_path / "nowhere", missing_images)
    message, _, tree = str(refused.value).partition(f"Expected in {tmp_path / 'nowhere'}:")
    assert message.startswith(f"flowers17 is not found in {str(tmp_path / 'nowhere')!r}, which")
    assert module.ARCHIVE_URL in message
    assert tree == TREE + str(tmp_path / "nowhere")


def test_without_a_folder_the_archive_is_downloaded_and_unpacked(archive, tmp_path, monkeypatch):
    packed = tmp_path / "somewhere.tgz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(archive / "jpg", "jpg")
    monkeypatch.setattr(module, "ARCHIVE_URL", packed.as_uri())
    in_cache = functools.partial(keras.utils.get_file, cache_dir=str(tmp_path / "cache"))
    monkeypatch.setattr(keras.utils, "get_file", in_cache)
    image_set = flowers17()
    assert len(image_set) == 1360
    assert image_set.read(700) == (archive / image_set.ids[700]).read_bytes()

    packed.unlink()
    assert len(flowers17()) == 1360


def test_the_official_archive_is_asked_for(archive, monkeypatch):
    asked = []

    def get_file(fname, origin, extract):
        asked.append((fname, origin, extract))
        return str(archive)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    assert len(flowers17()) == 1360
    url = "https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"
    assert asked == [("17flowers.tgz", url, True)]


def test_a_failed_download_says_where_to_get_the_archive(monkeypatch):
    def get_file(*_, **__):
        raise Exception("URL fetch failure: 404 -- Not Found\nsecond line")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    with pytest.raises(UserError) as refused:
        flowers17()
    message, _, tree = str(refused.value).partition("Expected in FOLDER:")
    assert "could not be downloaded (URL fetch failure: 404 -- Not Found)." in message
    assert module.ARCHIVE_URL in message
    assert "second line" not in message
    assert tree == TREE + "FOLDER"


def test_a_download_of_something_else_says_where_to_get_the_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.utils, "get_file", lambda *_, **__: str(tmp_path))
    with pytest.raises(UserError, match=r"not found in .*\n.*17flowers\.tgz"):
        flowers17()


def check_splits(data_dir):
    """The five splits of the papers, whatever the photographs."""
    whole = flowers17(data_dir)
    trained = set()
    for seed in range(5):
        splits = {
            split: load("flowers17", data_dir, split=split, seed=seed)
            for split in ("train", "gallery", "query")
        }
        for split, count in zip(splits.values(), (40, 25, 15), strict=True):
            assert np.bincount(split.labels).tolist() == [count] * 17
            assert split.class_names == tuple(SPECIES)
            numbers = [int(photograph[10:14]) for photograph in split.ids]
            assert split.labels.tolist() == [(number - 1) // 80 for number in numbers]
        dealt = np.concatenate([split.ids for split in splits.values()])
        assert sorted(dealt) == whole.ids.tolist()
        trained.add(tuple(splits["train"].ids))
    assert len(trained) == 5


def test_five_splits_of_40_25_15(archive):
    check_splits(archive)


def test_zero_shot_splits_by_species(archive):
    train, query = (load("flowers17", archive, "zero-shot", split) for split in ("train", "query"))
    assert train.class_names == query.class_names == tuple(SPECIES)
    assert train.classes.tolist() + query.classes.tolist() == list(range(17))
    assert train.num_classes == 8
    assert (len(train), len(query)) == (640, 720)


# ---- The real photographs ----


def test_five_splits_of_the_real_photographs(flowers17_dir):
    check_splits(flowers17_dir)


def test_a_training_batch_of_real_photographs(flowers17_dir):
    train = load("flowers17", flowers17_dir)
    dataset = balanced_batches(train, image_size=96)
    assert len(dataset) == 10
    ((images, labels),) = dataset.take(1).as_numpy_iterator()
    assert images.shape == (64, 96, 96, 3)
    assert np.array_equal(labels, np.repeat(labels[::8], 8))
    assert len(set(labels.tolist())) == 8
    assert images.min() >= 0
    assert images.max() <= 255.001
    # Photographs: neither flat, nor black at a corner, nor each other's copies.
    assert images.std(axis=(1, 2, 3)).min() > 10
    assert 60 < images.mean() < 160
    assert len(np.unique(images.reshape(64, -1), axis=0)) == 64
    # Neighboring pixels are alike, which they are not where a crop is scrambled.
    assert np.abs(np.diff(images, axis=1)).mean() < 0.5 * images.std()


def test_inference_crops_of_real_photographs(flowers17_dir):
    query = load("flowers17", flowers17_dir, split="query").subset(range(0, 255, 32))
    check_images(query)
    (crops,) = inference_batches(query, 96).as_numpy_iterator()
    assert crops.shape == (8, 3, 96, 96, 3)
    assert crops.min() >= 0
    assert crops.max() <= 255.001
    assert crops.std(axis=(1, 2, 3, 4)).min() > 10
    # The center overlaps either end, so it differs less from them than another photograph.
    means = crops.mean(axis=(2, 3))
    assert np.abs(means[:, 0] - means[:, 1:].mean(axis=1)).mean() < means[:, 0].std()
