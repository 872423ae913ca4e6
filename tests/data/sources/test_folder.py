import pytest

from nfl_keras.data.sources.folder import folder
from nfl_keras.errors import UserError

TREE = """
    first class/
      any name.jpg
      ...
    second class/
      ..."""


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"bytes of {name}".encode())


def test_classes_ids_and_bytes(tmp_path):
    write(tmp_path, "tulip/2.png", "tulip/10.JPG", "rose/b.jpeg", "rose/a.gif", "rose/c.bmp")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("rose", "tulip")
    names = ["rose/a.gif", "rose/b.jpeg", "rose/c.bmp", "tulip/10.JPG", "tulip/2.png"]
    assert image_set.ids.tolist() == names
    assert image_set.labels.tolist() == [0, 0, 0, 1, 1]
    assert [image_set.read(i) for i in range(5)] == [f"bytes of {n}".encode() for n in names]


def test_web_and_print_formats(tmp_path):
    write(tmp_path, "rose/a.webp", "rose/b.tif", "rose/c.TIFF", "rose/d.heic")
    assert folder(tmp_path).ids.tolist() == ["rose/a.webp", "rose/b.tif", "rose/c.TIFF"]


def test_a_photograph_that_leads_out_of_the_folder_is_refused(tmp_path):
    write(tmp_path, "secret.jpg", "flowers/rose/a.jpg")
    (tmp_path / "flowers" / "rose" / "b.jpg").symlink_to(tmp_path / "secret.jpg")
    image_set = folder(tmp_path / "flowers")
    assert image_set.read(0) == b"bytes of flowers/rose/a.jpg"
    with pytest.raises(UserError, match=r"'rose/b\.jpg' leads out"):
        image_set.read(1)


def test_a_path_may_be_text(tmp_path):
    write(tmp_path, "rose/a.jpg")
    assert folder(str(tmp_path)).ids.tolist() == ["rose/a.jpg"]


def test_hidden_entries_other_files_and_empty_folders_are_passed_over(tmp_path):
    write(tmp_path, "rose/a.jpg", "tulip/a.jpg")
    write(tmp_path, "rose/.a.jpg", "rose/._a.jpg", "rose/Thumbs.db", "rose/notes.txt", "rose/jpg")
    write(tmp_path, ".cache/a.jpg", "loose.jpg", "README.md", "papers/read me.pdf")
    (tmp_path / "iris").mkdir()
    (tmp_path / "rose" / "folder.jpg").mkdir()
    image_set = folder(tmp_path)
    assert image_set.ids.tolist() == ["rose/a.jpg", "tulip/a.jpg"]
    assert image_set.class_names == ("rose", "tulip")


def test_spaces_and_other_alphabets_in_names(tmp_path):
    write(tmp_path, "Lady's slipper/photo 1 (copy).jpg", "Überraschung/蘭.png", "蘭 orchid/é.jpg")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("Lady's slipper", "Überraschung", "蘭 orchid")
    assert image_set.ids[1] == "Überraschung/蘭.png"
    assert image_set.read(2) == "bytes of 蘭 orchid/é.jpg".encode()


def test_the_same_name_in_two_classes_is_two_photographs(tmp_path):
    write(tmp_path, "rose/1.jpg", "tulip/1.jpg")
    assert len(set(folder(tmp_path).ids)) == 2


def test_a_missing_folder_is_named_with_the_tree_expected(tmp_path):
    with pytest.raises(UserError, match="there is no folder") as refused:
        folder(tmp_path / "flowers")
    message, _, tree = str(refused.value).partition("\n")
    assert message == f"there is no folder {str(tmp_path / 'flowers')!r}. Expected:"
    assert tree == "  flowers/" + TREE


def test_a_file_is_no_folder(tmp_path):
    write(tmp_path, "photograph.jpg")
    with pytest.raises(UserError, match=r"there is no folder .*photograph\.jpg"):
        folder(tmp_path / "photograph.jpg")


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a.jpg", "b.jpg"],
        ["rose/a.txt"],
        ["train/rose/a.jpg", "train/tulip/a.jpg", "test/rose/b.jpg", "test/tulip/b.jpg"],
    ],
    ids=["empty", "no class folders", "no photographs", "nested"],
)
def test_a_folder_of_another_layout_is_refused_with_the_tree_expected(tmp_path, names):
    write(tmp_path, *names)
    with pytest.raises(UserError, match="no class folders with photographs") as refused:
        folder(tmp_path)
    message, _, tree = str(refused.value).partition("\n")
    assert str(tmp_path) in message
    assert ".jpg, .png, .tif, .tiff, .webp" in message
    assert tree == f"  {tmp_path.name}/" + TREE
