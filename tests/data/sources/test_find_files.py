import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.sources.find_files import find_files, first_photograph

COMPOSED, DECOMPOSED = "\u00e9", "e\u0301"


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(f"bytes of {name}".encode())


@given(
    st.lists(st.sampled_from(["a.jpg", "x/a.jpg", "x/b.jpg", "x/y/a.jpg", "z/a.jpg"])), st.data()
)
def test_what_is_there_is_what_exists(tmp_path_factory, names, data):
    root = tmp_path_factory.mktemp("root")
    write(root, *data.draw(st.lists(st.sampled_from(["a.jpg", "x/a.jpg", "x/y/a.jpg"]))))
    assert find_files(root, names).tolist() == [
        name if (root / name).exists() else "" for name in names
    ]


@pytest.mark.parametrize(
    ("asked", "there"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (COMPOSED, COMPOSED)]
)
@pytest.mark.parametrize("name", ["{}.jpg", "x/{}.jpg", "{}/a.jpg", "{}/{}/a.jpg"])
def test_names_that_differ_by_normal_form_are_found(tmp_path, asked, there, name):
    write(tmp_path, name.replace("{}", there))
    found = find_files(tmp_path, [name.replace("{}", asked), name.replace("{}", "e")])
    assert found.tolist() == [name.replace("{}", there), ""]


def test_the_name_that_is_asked_for_comes_first(tmp_path):
    names = [f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg"]
    write(tmp_path, *names)
    assert find_files(tmp_path, names).tolist() == names


def test_the_first_photograph_is_no_hidden_file(tmp_path):
    assert first_photograph(tmp_path) is None
    write(tmp_path, "b/.1.jpg", "b/2.PNG", "b/1.txt", "a/1.txt")
    assert first_photograph(tmp_path) == str(tmp_path / "b" / "2.PNG")
    assert first_photograph(tmp_path / "nowhere") is None
