import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.config.config_file import overlay, read_config_file


@pytest.fixture
def write(tmp_path):
    """Function that writes a file below a folder and gives its path."""

    def write_file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def test_a_file_says_only_what_differs_from_its_base(write):
    write("base.yaml", "data:\n  dataset: cars196\n  color: jitter\nrun:\n  seed: 1\n")
    write("middle.yaml", "base: base.yaml\ndata:\n  color: none\n")
    file = write("below/file.yaml", "base: ../middle.yaml\noptimizer:\n  epochs: 2\n")
    assert read_config_file(file) == {
        "data": {"dataset": "cars196", "color": "none"},
        "run": {"seed": 1},
        "optimizer": {"epochs": 2},
    }


def test_an_empty_file_sets_nothing(write):
    assert read_config_file(write("empty.yaml", "# nothing\n")) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, {"name": "a", "window": 4, "noise": "none"}),
        ("a", {"name": "a", "window": 4, "noise": "none"}),
        ("b", {"name": "b", "noise": "none"}),
    ],
)
def test_another_recipe_takes_none_of_the_settings_of_the_base(name, expected):
    changes = {"noise": "none"} if name is None else {"name": name, "noise": "none"}
    base = {"recipe": {"name": "a", "window": 4}}
    assert overlay(base, {"recipe": changes}) == {"recipe": expected}
    assert base == {"recipe": {"name": "a", "window": 4}}


@pytest.mark.parametrize("circle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_of_bases_is_named(write, circle):
    for name, base in zip(circle, [*circle[1:], circle[0]], strict=True):
        path = write(f"{name}.yaml", f"base: {base}.yaml\n")
    with pytest.raises(UserError, match="its own base"):
        read_config_file(path)


def test_a_base_that_is_not_there_is_named(write):
    with pytest.raises(UserError, match=r"gone\.yaml.*cannot be read"):
        read_config_file(write("file.yaml", "base: gone.yaml\n"))


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "some.yaml").write_bytes(b"\xff\xfe\x00data")
    with pytest.raises(UserError, match=r"some\.yaml.*UTF-8"):
        read_config_file(tmp_path / "some.yaml")
