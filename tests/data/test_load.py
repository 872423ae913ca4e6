import os

import pytest

from nfl_keras.data import load as public_load
from nfl_keras.data.load import load
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.errors import UserError


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


def test_it_is_the_public_one():
    assert public_load is load


def test_blooms_are_split_by_species():
    whole = blooms()
    half = len(whole.class_names) // 2
    assert ids("blooms", split="all") == whole.ids.tolist()
    assert load("blooms").class_names == tuple(whole.class_names[:half])
    assert load("blooms", split="query").class_names == tuple(whole.class_names[half:])
    assert ids("blooms", split="gallery") == ids("blooms", split="query")
    assert load("blooms").read(3) == whole.read(3)


def test_blooms_fine_grained():
    train = load("blooms", protocol="fine-grained")
    assert len(train.class_names) == len(blooms().class_names)
    assert "fine-grained" in train.protocol


def test_a_folder_is_zero_shot_by_default(garden):
    assert load(garden).class_names == ("aster", "bluebell")
    assert load(garden, split="query").class_names == ("crocus", "daisy")
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
    assert load(garden.name).class_names == ("aster", "bluebell")


def test_a_named_dataset_comes_before_a_folder_of_its_name(garden, monkeypatch):
    os.rename(garden / "aster", garden / "blooms")
    monkeypatch.chdir(garden)
    assert ids("blooms", split="all") == blooms().ids.tolist()


def test_data_dir_is_that_of_a_named_dataset(tmp_path):
    with pytest.raises(UserError, match=f"not below '{tmp_path}'"):
        load("flowers17", data_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["cars", "flowers", ""])
def test_an_unknown_name_lists_the_known_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="blooms, flowers17, or a folder") as refused:
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
        ({"split": "test"}, "one of train, gallery, query, all, not 'test'"),
        ({"protocol": "fine grained"}, "one of fine-grained, zero-shot, not 'fine grained'"),
    ],
)
def test_other_arguments_are_refused_in_one_line(garden, arguments, message):
    for source in (garden, "blooms"):
        with pytest.raises(UserError, match=message) as refused:
            load(source, **arguments)
        assert "\n" not in str(refused.value)
