import pytest

from nfl_keras.data.sources import whereabouts
from nfl_keras.data.sources.cub200_2011 import cub200_2011
from nfl_keras.errors import UserError

CLASSES = {"1": "001.Black_footed_Albatross", "2": "002.Laysan_Albatross"}
# id: (class, photograph, in the training split)
BIRDS = {
    "1": ("1", "Black_0046.jpg", "0"),
    "2": ("1", "Black_0009.jpg", "1"),
    "3": ("2", "Laysan_0002.jpg", "1"),
    "4": ("2", "Laysan_0001.jpg", "0"),
}


def write(root, birds=BIRDS):
    root.mkdir(parents=True, exist_ok=True)
    lists = {
        "classes": CLASSES,
        "images": {image: f"{CLASSES[c]}/{name}" for image, (c, name, _) in birds.items()},
        # Lists are joined by id, not by line.
        "image_class_labels": {image: c for image, (c, *_) in reversed(birds.items())},
        "train_test_split": {image: train for image, (*_, train) in birds.items()},
    }
    for name, rows in lists.items():
        lines = [f"{key} {value}\n" for key, value in rows.items()]
        (root / f"{name}.txt").write_text("".join(lines))
    for path in lists["images"].values():
        (root / "images" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / path).write_bytes(path.encode())


@pytest.fixture(autouse=True)
def nothing_prepared(monkeypatch):
    monkeypatch.setattr(whereabouts, "find_prepared", lambda names, data_dir=None: None)


@pytest.mark.parametrize("below", [".", "CUB_200_2011"])
def test_the_official_layout(tmp_path, below):
    write(tmp_path / below)
    image_set = cub200_2011(str(tmp_path))
    assert image_set.class_names == tuple(CLASSES.values())
    names = [f"{CLASSES[c]}/{name}" for c, name, _ in BIRDS.values()]
    assert image_set.ids.tolist() == [f"images/{name}" for name in names]
    assert image_set.labels.tolist() == [0, 0, 1, 1]
    assert image_set.own_split.tolist() == ["test", "train", "train", "test"]
    assert [image_set.read(i) for i in range(4)] == [name.encode() for name in names]


def test_missing_photographs(tmp_path):
    write(tmp_path)
    (tmp_path / "images" / CLASSES["1"] / "Black_0009.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of the 4 photographs of cub200_2011 .*Black_0009"):
        cub200_2011(tmp_path)
    part = cub200_2011(tmp_path, "skip")
    assert len(part) == 3
    assert part.own_split.tolist() == ["test", "train", "test"]
    assert part.description == "in part: 3 of 4 photographs"


@pytest.mark.parametrize(
    "name", ["image_class_labels.txt", "train_test_split.txt", "classes.txt", "images.txt"]
)
def test_lists_that_do_not_agree_or_are_damaged_are_named(tmp_path, name):
    write(tmp_path)
    file = tmp_path / name
    lines = file.read_text().splitlines()
    if name != "images.txt":
        file.write_text("\n".join(lines[:-1]))
        with pytest.raises(UserError, match=r"do not agree: '[1-4]' is in one") as refused:
            cub200_2011(tmp_path)
        assert "\n" not in str(refused.value)
    file.write_text("\n".join([*lines, "5"]))
    with pytest.raises(UserError, match=rf"line {len(lines) + 1} of .*{name}"):
        cub200_2011(tmp_path)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_photographs_of_other_names_show_the_first_expected_and_the_first_found(
    tmp_path, missing_images
):
    write(tmp_path)
    for photograph in tmp_path.glob("images/*/*.jpg"):
        photograph.rename(photograph.with_name(f"bird {photograph.name}"))
    with pytest.raises(UserError) as refused:
        cub200_2011(tmp_path, missing_images)
    expected = tmp_path / f"images/{CLASSES['1']}/{next(iter(BIRDS.values()))[1]}"
    found = min(expected.parent.iterdir())
    assert f"should be {str(expected)!r}, and there is {str(found)!r}." in str(refused.value)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_where_nothing_is_there_it_says_where_to_get_it(tmp_path, missing_images):
    with pytest.raises(UserError) as refused:
        cub200_2011(tmp_path, missing_images)
    message = str(refused.value)
    for part in ("vision.caltech.edu", "Kaggle", "tfds build caltech_birds2011", "images.txt"):
        assert part in message
    assert message.endswith(f"--dataset cub200_2011 --data-dir {tmp_path}")


def test_what_tfds_has_prepared(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        whereabouts, "find_prepared", lambda *a: asked.append(a) or "caltech_birds2011"
    )
    monkeypatch.setattr(whereabouts, "tfds_dataset", lambda *a: asked.append(a) or "the set")
    assert cub200_2011(tmp_path) == "the set"
    assert asked == [(("caltech_birds2011",), tmp_path), ("caltech_birds2011", tmp_path)]
