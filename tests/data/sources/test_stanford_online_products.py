import pytest

from nfl_keras.data.sources import whereabouts
from nfl_keras.data.sources.stanford_online_products import stanford_online_products
from nfl_keras.errors import UserError

HEADER = "image_id class_id super_class_id path\n"
TRAIN = (
    "1 1 1 bicycle_final/1_0.JPG\n2 1 1 bicycle_final/1_1.JPG\n3 10 2 coffee_maker_final/2_0.JPG\n"
)
TEST = "4 9 1 bicycle_final/3_0.JPG\n5 11 2 coffee_maker_final/4 0.JPG\n"


def write(root):
    root.mkdir(parents=True, exist_ok=True)
    (root / "Ebay_train.txt").write_text(HEADER + TRAIN)
    (root / "Ebay_test.txt").write_text(HEADER + TEST)
    for line in (TRAIN + TEST).splitlines():
        name = line.split(" ", 3)[3]
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode())


@pytest.fixture(autouse=True)
def nothing_prepared(monkeypatch):
    monkeypatch.setattr(whereabouts, "find_prepared", lambda names, data_dir=None: None)


@pytest.mark.parametrize("below", [".", "Stanford_Online_Products"])
def test_the_official_layout(tmp_path, below):
    write(tmp_path / below)
    image_set = stanford_online_products(str(tmp_path))
    names = [line.split(" ", 3)[3] for line in (TRAIN + TEST).splitlines()]
    assert image_set.ids.tolist() == names
    assert image_set.class_names == ("bicycle 1", "bicycle 9", "coffee_maker 10", "coffee_maker 11")
    assert image_set.labels.tolist() == [0, 0, 2, 1, 3]
    assert image_set.categories == ("bicycle", "bicycle", "coffee_maker", "coffee_maker")
    assert image_set.own_split.tolist() == ["train", "train", "train", "test", "test"]
    assert [image_set.read(i) for i in range(5)] == [name.encode() for name in names]


def test_missing_photographs(tmp_path):
    write(tmp_path)
    (tmp_path / "coffee_maker_final" / "2_0.JPG").unlink()
    with pytest.raises(UserError, match=r"1 of the 5 .*coffee_maker_final/2_0\.JPG"):
        stanford_online_products(tmp_path)
    part = stanford_online_products(tmp_path, "skip")
    assert len(part) == 4
    assert part.description == "in part: 4 of 5 photographs"


@pytest.mark.parametrize("row", ["6 12 1", "6 twelve 1 bicycle_final/5_0.JPG"])
def test_a_damaged_list_is_named(tmp_path, row):
    write(tmp_path)
    (tmp_path / "Ebay_test.txt").write_text(HEADER + TEST + row)
    with pytest.raises(UserError, match=r"Ebay_test\.txt") as refused:
        stanford_online_products(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_missing_list_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "Ebay_test.txt").unlink()
    with pytest.raises(UserError, match=r"Ebay_test\.txt' cannot be read"):
        stanford_online_products(tmp_path)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_photographs_of_other_names_show_the_first_expected_and_the_first_found(
    tmp_path, missing_images
):
    write(tmp_path)
    for photograph in tmp_path.glob("*/*.JPG"):
        photograph.rename(photograph.with_suffix(".jpg"))
    with pytest.raises(UserError) as refused:
        stanford_online_products(tmp_path, missing_images)
    expected = tmp_path / f"{TRAIN.split()[3]}"
    found = min(expected.parent.iterdir())
    assert f"should be {str(expected)!r}, and there is {str(found)!r}." in str(refused.value)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_where_nothing_is_there_it_says_where_to_get_it(tmp_path, missing_images):
    with pytest.raises(UserError) as refused:
        stanford_online_products(tmp_path, missing_images)
    message = str(refused.value)
    for part in ("cvgl.stanford.edu", "Kaggle", "tfds build stanford_online", "Ebay_train.txt"):
        assert part in message
    assert message.endswith(f"--dataset stanford_online_products --data-dir {tmp_path}")


def test_what_tfds_has_prepared(monkeypatch):
    asked = []
    name = "stanford_online_products"
    monkeypatch.setattr(whereabouts, "find_prepared", lambda *a: asked.append(a) or name)
    monkeypatch.setattr(whereabouts, "tfds_dataset", lambda *a: asked.append(a) or "the set")
    assert stanford_online_products() == "the set"
    assert asked == [((name,), None), (name, None)]
