import dataclasses
import importlib
import os

import numpy as np
import pytest

from nfl_keras.data import load as public_load
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.open_dataset import BENCHMARKS, load, open_dataset
from nfl_keras.errors import UserError

# The package's `load` is the function.
module = importlib.import_module("nfl_keras.data.sources.open_dataset")


@pytest.fixture
def garden(tmp_path):
    """A folder of four classes of six photographs."""
    for name in ("aster", "bluebell", "crocus", "daisy"):
        (tmp_path / name).mkdir()
        for number in range(6):
            (tmp_path / name / f"{number}.jpg").write_bytes(f"{name} {number}".encode())
    return tmp_path


def ids(*arguments, **keywords):
    return load(*arguments, **keywords).ids.tolist()


def names_of(image_set):
    return tuple(image_set.class_names[label] for label in image_set.classes)


def test_it_is_the_public_one():
    assert public_load is load


def test_blooms_are_split_by_species():
    whole = blooms()
    half = len(whole.class_names) // 2
    names = tuple(whole.class_names)
    assert ids("blooms", split="all") == whole.ids.tolist()
    assert names_of(load("blooms")) == names[:half]
    assert names_of(load("blooms", split="query")) == names[half:]
    assert ids("blooms", split="gallery") == ids("blooms", split="query")
    assert load("blooms").read(3) == whole.read(3)


def test_blooms_fine_grained():
    train = load("blooms", protocol="fine-grained")
    assert train.num_classes == len(blooms().class_names)
    assert "fine-grained" in train.description


def test_a_folder_is_zero_shot_by_default(garden):
    assert names_of(load(garden)) == ("aster", "bluebell")
    assert names_of(load(garden, split="query")) == ("crocus", "daisy")
    assert ids(garden, split="gallery") == ids(garden, split="query")
    assert len(ids(garden, split="all")) == 24
    assert load(garden, split="query").read(0) == b"crocus 0"


def test_a_folder_fine_grained_by_seed(garden):
    train, other = (ids(garden, protocol="fine-grained", seed=seed) for seed in (0, 1))
    assert len(train) == len(other) == 12
    assert train != other
    assert set(train).isdisjoint(ids(garden, protocol="fine-grained", split="query"))


def test_a_folder_by_its_bare_name(garden, monkeypatch):
    monkeypatch.chdir(garden.parent)
    assert names_of(load(garden.name)) == ("aster", "bluebell")


def test_a_named_dataset_comes_before_a_folder_of_its_name(garden, monkeypatch):
    os.rename(garden / "aster", garden / "blooms")
    monkeypatch.chdir(garden)
    assert ids("blooms", split="all") == blooms().ids.tolist()


def test_data_dir_is_that_of_a_named_dataset(tmp_path):
    with pytest.raises(UserError, match=f"not found in '{tmp_path}'"):
        load("flowers17", data_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["cars", "my flowers", "f.jpg", ""])
def test_an_unknown_name_lists_the_known_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = "blooms, flowers17, cars196, cub200_2011, stanford_online_products, in_shop, a folder"
    with pytest.raises(UserError, match=known) as refused:
        load(name)
    assert repr(name) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_folder_that_is_not_there_is_named_with_the_tree_expected(kind, tmp_path):
    with pytest.raises(UserError, match="there is no folder") as refused:
        load(kind(tmp_path / "nowhere"))
    message, _, tree = str(refused.value).partition("\n")
    assert repr(str(tmp_path / "nowhere")) in message
    assert "any name.jpg" in tree


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "test"}, "one of train, validation, gallery, query, all, not 'test'"),
        ({"protocol": "fine grained"}, "one of fine-grained, zero-shot, not 'fine grained'"),
    ],
)
def test_other_arguments_are_refused_in_one_line(garden, arguments, message):
    for source in (garden, "blooms"):
        with pytest.raises(UserError, match=message) as refused:
            load(source, **arguments)
        assert "\n" not in str(refused.value)


def test_missing_images_is_one_of_two(garden):
    for source in (garden, "blooms"):
        with pytest.raises(UserError, match="'error' or 'skip', not 'ignore'"):
            load(source, missing_images="ignore")


# ---- Tables and TFDS ----


@pytest.mark.parametrize(
    ("splits", "protocol"),
    [
        (None, "zero-shot, split by halves"),
        (["train", "test"] * 2, "fine-grained, the dataset's own split"),
        (["test", "test", "train", "train"], "zero-shot, the dataset's own split"),
    ],
)
def test_a_table_is_split_by_its_own_split_or_zero_shot(tmp_path, splits, protocol):
    lines = ["path,label,split"] if splits else ["path,label"]
    for number in range(4):
        (tmp_path / f"{number}.jpg").touch()
        row = f"{number}.jpg,{number // 2}"
        lines.append(f"{row},{splits[number]}" if splits else row)
    (tmp_path / "table.csv").write_text("\n".join(lines))
    train = load(tmp_path / "table.csv")
    assert train.description.startswith(protocol)
    expected = ["0.jpg", "1.jpg"] if not splits else None
    expected = expected or [f"{i}.jpg" for i in range(4) if splits[i] == "train"]
    assert train.ids.tolist() == expected


def test_a_table_without_some_photographs(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "t.csv").write_text("path,label\na.jpg,1\nb.jpg,2\nc.jpg,2\n")
    with pytest.raises(UserError, match=r"c\.jpg"):
        load(tmp_path / "t.csv")
    query = load(tmp_path / "t.csv", split="query", missing_images="skip")
    assert query.ids.tolist() == ["b.jpg"]
    assert query.description.endswith("; in part: 2 of 3 photographs")


def test_a_name_that_tfds_knows_is_answered_with_how_to_prepare_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="tfds build eurosat/rgb --data_dir"):
        load("eurosat/rgb", tmp_path)


@pytest.fixture
def tfds(monkeypatch):
    """What TFDS has prepared, by (name, data_dir)."""
    datasets = {}
    monkeypatch.setattr(module, "tfds_dataset", lambda name, data_dir: datasets[name, data_dir])
    monkeypatch.setattr(
        module,
        "find_prepared",
        lambda names, data_dir: next((n for n in names if (n, data_dir) in datasets), None),
    )
    return datasets


def made_up(sizes, own_split=None):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    ids = [f"{i}" for i in range(len(labels))]
    names = [f"class {c}" for c in range(len(sizes))]
    return ImageSet(ids, labels, names, lambda i: ids[i].encode(), own_split=own_split)


@pytest.mark.parametrize("name", ["pets", "eurosat/rgb", "pets:1.0.0"])
@pytest.mark.parametrize("prefix", ["", "tfds:"])
def test_what_tfds_has_prepared_by_its_name(tfds, tmp_path, monkeypatch, name, prefix):
    monkeypatch.chdir(tmp_path)
    tfds[name, "where"] = made_up([4, 4], ["train", "test"] * 4)
    train = load(prefix + name, "where")
    assert train.ids.tolist() == ["0", "2", "4", "6"]
    assert train.description.startswith("fine-grained, the dataset's own split")


def test_a_folder_comes_before_tfds_unless_forced(tfds, garden, monkeypatch):
    os.rename(garden / "aster", garden / "pets")
    for photograph in (garden / "pets").iterdir():
        photograph.unlink()
    os.mkdir(garden / "pets" / "cat")
    (garden / "pets" / "cat" / "1.jpg").touch()
    monkeypatch.chdir(garden)
    tfds["pets", None] = made_up([1, 1])
    assert ids("pets", split="all") == ["cat/1.jpg"]
    assert ids("tfds:pets", split="all") == ["0", "1"]


# ---- Benchmarks ----

ZERO_SHOT = ["stanford_online_products", "in_shop"]


def test_the_published_counts():
    counts = {
        name: (benchmark.protocol, benchmark.size, benchmark.counts.get("zero-shot"))
        for name, benchmark in BENCHMARKS.items()
    }
    assert counts == {
        "blooms": ("zero-shot", (40, 1920), ((20, 960), (20, 960))),
        "flowers17": ("fine-grained", (17, 1360), ((8, 640), (9, 720))),
        "cars196": ("zero-shot", (196, 16185), ((98, 8054), (98, 8131))),
        "cub200_2011": ("zero-shot", (200, 11788), ((100, 5864), (100, 5924))),
        "stanford_online_products": (
            "zero-shot",
            (22634, 120053),
            ((11318, 59551), (11316, 60502)),
        ),
        "in_shop": ("zero-shot", (7982, 52712), ((3997, 25882), (3985, 26830))),
    }
    fine_grained = {name: b.counts.get("fine-grained") for name, b in BENCHMARKS.items()}
    assert fine_grained["cars196"] == ((196, 8144), (196, 8041))
    assert fine_grained["cub200_2011"] == ((200, 5994), (200, 5794))
    assert BENCHMARKS["flowers17"].per_class == (40, 25, 15)
    assert BENCHMARKS["in_shop"].num_queries == 14218
    for benchmark in BENCHMARKS.values():
        for train, test in benchmark.counts.values():
            assert train[1] + test[1] == benchmark.size[1]


def full(name):
    """A set of a benchmark's published counts, every photograph without content."""
    benchmark = BENCHMARKS[name]
    if name in ZERO_SHOT:
        (train_classes, train), (test_classes, test) = benchmark.counts["zero-shot"]
        sizes = [*spread(train, train_classes), *spread(test, test_classes)]
        own_split = np.array(["train"] * train + ["test"] * test, "<U7")
        if benchmark.num_queries:
            own_split[train:] = "gallery"
            places = np.linspace(train, train + test - 1, benchmark.num_queries).astype(int)
            own_split[places] = "query"
        return made_up(sizes, own_split)
    (first_classes, first), (second_classes, second) = benchmark.counts["zero-shot"]
    whole = made_up([*spread(first, first_classes), *spread(second, second_classes)])
    trained = benchmark.counts["fine-grained"][0][1]
    rank = np.arange(len(whole)) - np.searchsorted(whole.labels, whole.labels)
    order = np.argsort(rank, kind="stable")
    own_split = np.full(len(whole), "test", dtype="<U5")
    own_split[order[:trained]] = "train"
    return dataclasses.replace(whole, own_split=own_split)


def test_in_shop_searches_a_gallery_of_others(monkeypatch):
    whole = full("in_shop")
    stand_in(monkeypatch, "in_shop", whole)
    query, gallery = (load("in_shop", split=split) for split in ("query", "gallery"))
    assert (len(query), len(gallery)) == (14_218, 12_612)
    assert "14,218 queries against a gallery of 12,612" in query.description
    moved = np.where(whole.own_split == "gallery", "test", whole.own_split)
    moved[np.flatnonzero(moved == "query")[0]] = "test"
    stand_in(monkeypatch, "in_shop", dataclasses.replace(whole, own_split=moved))
    with pytest.raises(UserError, match=r"14,218 queries .* but 14,217 are found"):
        load("in_shop")


def spread(total, parts):
    return np.diff(np.linspace(0, total, parts + 1).astype(int)).tolist()


def stand_in(monkeypatch, name, whole):
    benchmark = dataclasses.replace(BENCHMARKS[name], read=lambda data_dir, missing_images: whole)
    monkeypatch.setitem(module.BENCHMARKS, name, benchmark)


@pytest.mark.parametrize("name", ["cars196", "cub200_2011", *ZERO_SHOT])
def test_benchmarks_of_their_published_counts_are_split_by_both_protocols(monkeypatch, name):
    whole = full(name)
    stand_in(monkeypatch, name, whole)
    dataset = open_dataset(name)
    for protocol, counts in BENCHMARKS[name].counts.items():
        train, query = dataset.split("train", protocol), dataset.split("query", protocol)
        gallery = dataset.split("gallery", protocol)
        tested = len(set(query.ids) | set(gallery.ids))
        assert (train.num_classes, len(train)) == counts[0]
        assert (query.num_classes, tested) == counts[1]
    assert dataset.split("train").ids.tolist() == dataset.split("train", "zero-shot").ids.tolist()
    own = "zero-shot" if name in ZERO_SHOT else "fine-grained"
    assert "the dataset's own split" in dataset.split("query", own).description
    other = {"zero-shot": "fine-grained", "fine-grained": "zero-shot"}[own]
    assert "own split" not in dataset.split("query", other).description


def test_a_benchmark_of_another_size_is_refused(monkeypatch):
    whole = full("cars196")
    stand_in(monkeypatch, "cars196", whole.subset(range(1, 16_185)))
    message = "16,185 photographs of 196 classes, but 16,184 of 196 are found"
    with pytest.raises(UserError, match=message) as refused:
        load("cars196")
    assert "\n" not in str(refused.value)
    assert len(load("cars196", split="all", missing_images="skip")) == 16_184


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_a_benchmark_whose_split_differs_from_the_published_is_refused(monkeypatch, missing_images):
    whole = full("cars196")
    moved = whole.own_split.copy()
    moved[np.flatnonzero(moved == "train")[0]] = "test"
    stand_in(monkeypatch, "cars196", dataclasses.replace(whole, own_split=moved))
    dataset = open_dataset("cars196", missing_images=missing_images)
    assert len(dataset.split("train")) == 8054
    with pytest.raises(UserError, match=r"should have 8,144 .* but has 8,143 photographs"):
        dataset.split("train", "fine-grained")


def test_a_benchmark_in_part_is_split_without_its_counts(monkeypatch):
    whole = full("cars196")
    stand_in(monkeypatch, "cars196", whole.subset(whole.labels < 60, "in part: some"))
    dataset = open_dataset("cars196", missing_images="skip")
    query = dataset.split("query")
    assert query.classes.tolist() == list(range(30, 60))
    assert query.description.startswith("zero-shot, split by halves of the classes: 30 classes")
    assert query.description.endswith("; in part: some")
