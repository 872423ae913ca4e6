import pytest

from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.without_missing import without_missing
from nfl_keras.errors import UserError


def annotated(root, there, missing):
    names = [*there, *missing]
    for name in there:
        (root / name).write_bytes(name.encode())
    return file_set(root, names, range(len(names)), names)


def test_a_set_that_is_all_there_is_left_as_it_is(tmp_path):
    whole = annotated(tmp_path, ["a.jpg", "b.jpg"], [])
    for policy in ("error", "skip"):
        assert without_missing(whole, tmp_path, policy, "flowers") is whole


def test_missing_photographs_are_counted_and_the_first_named(tmp_path):
    whole = annotated(tmp_path, ["a.jpg"], [f"{i}.jpg" for i in range(2000)])
    with pytest.raises(UserError, match="2,000 of the 2,001 photographs of flowers") as refused:
        without_missing(whole, tmp_path, "error", "flowers")
    message = str(refused.value)
    assert "(the first: 0.jpg, 1.jpg, 2.jpg)" in message
    assert repr(str(tmp_path)) in message
    assert "missing_images = skip" in message
    assert "\n" not in message


def test_missing_photographs_are_left_out_in_words(tmp_path):
    whole = annotated(tmp_path, ["a.jpg", "b.jpg"], ["c.jpg"])
    part = without_missing(whole, tmp_path, "skip", "flowers")
    assert part.ids.tolist() == ["a.jpg", "b.jpg"]
    assert [part.class_names[label] for label in part.labels] == ["a.jpg", "b.jpg"]
    assert part.read(1) == b"b.jpg"
    assert part.description == "in part: 2 of 3 photographs"


def test_the_part_is_of_the_whole_dataset(tmp_path):
    whole = annotated(tmp_path, ["a.jpg"], [])
    part = without_missing(whole, tmp_path, "skip", "flowers", total=1000)
    assert part.description == "in part: 1 of 1,000 photographs"


@pytest.mark.parametrize("policy", ["error", "skip"])
def test_where_nothing_is_there_the_set_is_empty(tmp_path, policy):
    assert len(without_missing(annotated(tmp_path, [], ["a.jpg"]), tmp_path, policy, "x")) == 0
