import os

import pytest
from PIL import Image

from nfl_keras.data import check_images, open_dataset
from nfl_keras.data.sources.folder import folder
from nfl_keras.errors import UserError

TREE = """
    first class/
      any name.jpg
      ...
    second class/
      ...
or the same in train/ and test/ (or gallery/ and query/)"""


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


# ---- Suffixes ----

# As pictures of each format that is read may be called.
SUFFIXES_OF = {
    "JPEG": ".jpg .jpeg .JPG .Jpeg .jpe .jfif",
    "MPO": ".mpo .MPO",
    "PNG": ".png .PNG .apng",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp .dib",
    "TIFF": ".tif .tiff .TIF",
}


@pytest.mark.parametrize(
    ("file_format", "suffix"), [(f, s) for f, words in SUFFIXES_OF.items() for s in words.split()]
)
def test_every_suffix_of_a_format_that_is_read(tmp_path, file_format, suffix):
    (tmp_path / "rose").mkdir()
    picture = Image.new("RGB", (40, 30), "red")
    picture.save(tmp_path / "rose" / f"a{suffix}", file_format)
    image_set = folder(tmp_path)
    assert image_set.ids.tolist() == [f"rose/a{suffix}"]
    check_images(image_set)


def test_other_files_are_left_out_and_counted_in_one_warning(tmp_path):
    write(tmp_path, "rose/a.jpg", "rose/b.HEIC", "iris/b.heic", "rose/Makefile", "iris/1.jpg.part")
    write(tmp_path, "loose.jpg", "README.md")
    (tmp_path / "lily").mkdir()
    (tmp_path / "rose" / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "rose" / "above").symlink_to("..")
    with pytest.warns(UserWarning, match="are left out") as warned:
        image_set = folder(tmp_path)
    assert image_set.ids.tolist() == ["rose/a.jpg"]
    assert len(warned) == 1
    message = str(warned[0].message)
    counted, _, _ = message.removeprefix(
        f"of the folder {str(tmp_path)!r} are left out: "
    ).partition(". Photographs have the suffixes .apng, .bmp, ")
    assert set(counted.split(", ")) == {
        ".heic files (2)",
        ".part files (1)",
        "files without a suffix (1)",
        "photographs in no class folder (1)",
        "class folders without a photograph (2)",
        "links to nothing and special files (1)",
        "links to folders above them (1)",
    }
    assert "\n" not in message


def test_photographs_below_a_folder_of_their_class(tmp_path):
    write(tmp_path, "rose/a.jpg", "rose/2019/b.jpg", "rose/2019/may/c.jpg", "iris/2020/d.jpg")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("iris", "rose")
    of_rose = ["rose/a.jpg", "rose/2019/b.jpg", "rose/2019/may/c.jpg"]
    assert image_set.ids.tolist() == ["iris/2020/d.jpg", *of_rose]
    assert image_set.labels.tolist() == [0, 1, 1, 1]
    assert image_set.read(3) == b"bytes of rose/2019/may/c.jpg"


def test_a_folder_around_the_classes_is_named(tmp_path):
    write(tmp_path, "images/rose/a.jpg", "images/iris/b.jpg", "annotations/a.xml")
    with pytest.raises(UserError, match="in the folder 'images' alone") as refused:
        folder(tmp_path)
    assert str(refused.value).endswith(f"give {str(tmp_path / 'images')!r}.")


def test_classes_that_are_numbers_are_in_their_order(tmp_path):
    write(tmp_path, "10/a.jpg", "9/a.jpg", "08/a.jpg")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("08", "9", "10")
    assert [image_set.class_names[label] for label in image_set.labels] == ["08", "10", "9"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    write(tmp_path, "rose/a.jpg")
    scandir = os.scandir

    def refuse(path):
        if path == tmp_path / "rose":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(UserError, match=r"rose' cannot be listed \(Permission denied\)"):
        folder(tmp_path)


# ---- Splits ----


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ("train test", "train test"),
        ("train val test", "train validation test"),
        ("train val", "train test"),
        ("Training Validation", "train test"),
        ("train valid TEST", "train validation test"),
        ("train gallery query", "train gallery query"),
        ("train val gallery query", "train validation gallery query"),
        ("train test query", "train gallery query"),
        ("train index test", "train gallery query"),
        ("gallery query", "gallery query"),
        ("training_set test_set", "train test"),
        ("train2017 val2017", "train test"),
        ("seg_train seg_test", "train test"),
        ("train", "train"),
    ],
)
def test_folders_that_are_called_by_splits_are_the_own_split(tmp_path, folders, expected):
    folders = folders.split()
    for name in folders:
        write(tmp_path, f"{name}/rose/1.jpg", f"{name}/iris/deeper/1.jpg", f"{name}/{name}1/a.jpg")
    write(tmp_path, "README.md", "annotations/rose.csv/.keep")
    image_set = folder(tmp_path)
    meaning = dict(zip(folders, expected.split(), strict=True))
    tops, classes = zip(*(name.split("/")[:2] for name in image_set.ids), strict=True)
    assert len(image_set) == 3 * len(folders)
    assert image_set.own_split.tolist() == [meaning[top] for top in tops]
    assert [image_set.class_names[label] for label in image_set.labels] == list(classes)
    assert image_set.class_names == tuple(sorted(set(classes)))


def test_splits_without_a_common_class_are_zero_shot_and_others_fine_grained(tmp_path):
    write(tmp_path, "train/rose/1.jpg", "train/iris/1.jpg", "test/lily/1.jpg", "test/lily/2.jpg")
    dataset = open_dataset(tmp_path)
    assert dataset.protocol == "zero-shot"
    assert dataset.split("train").ids.tolist() == ["train/iris/1.jpg", "train/rose/1.jpg"]
    assert "the dataset's own split" in dataset.split("query").description
    write(tmp_path, "test/rose/3.jpg")
    dataset = open_dataset(tmp_path)
    assert dataset.protocol == "fine-grained"
    assert dataset.split("query").num_classes == 2


def test_splits_in_a_folder_of_their_own_name(tmp_path):
    write(tmp_path, "train/train/rose/1.jpg", "test/test/rose/1.jpg", "test/test/iris/1.jpg")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("iris", "rose")
    assert image_set.own_split.tolist() == ["test", "test", "train"]


@pytest.mark.parametrize("other", ["test/1.jpg", "unlabeled/1.jpg", "unlabeled/sub/1.jpg"])
def test_photographs_without_a_class_or_a_split_are_left_out(tmp_path, other):
    write(tmp_path, "train/rose/1.jpg", "test/rose/1.jpg", "test/iris/1.jpg", other)
    with pytest.warns(UserWarning, match=r"out: photographs in no class folder \(1\)\."):
        image_set = folder(tmp_path)
    assert image_set.ids.tolist() == ["test/iris/1.jpg", "test/rose/1.jpg", "train/rose/1.jpg"]


def test_empty_classes_of_a_split_are_counted(tmp_path):
    write(tmp_path, "train/rose/1.jpg", "test/rose/1.jpg")
    (tmp_path / "test" / "iris").mkdir()
    with pytest.warns(UserWarning, match=r"out: class folders without a photograph \(1\)\."):
        assert folder(tmp_path).class_names == ("rose",)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.jpg", "bus/2.jpg", "test/3.jpg"],
        ["train/1.jpg", "bus/deeper/2.jpg"],
        ["train/deeper/1.jpg", "bus/2.jpg"],
        ["steam train/deeper/1.jpg", "test tube/deeper/2.jpg", "bus/deeper/3.jpg"],
        ["steam train/deeper/1.jpg", "bullet train/deeper/2.jpg"],
    ],
)
def test_classes_that_are_called_like_splits_are_classes(tmp_path, names):
    write(tmp_path, *names)
    image_set = folder(tmp_path)
    assert image_set.own_split is None
    assert set(image_set.class_names) == {name.partition("/")[0] for name in names}


def test_a_class_in_two_normal_forms_is_one_class(tmp_path):
    write(tmp_path, "train/\u00e9/1.jpg", "test/e\u0301/1.jpg", "test/e\u0301/2.jpg")
    image_set = folder(tmp_path)
    assert image_set.class_names == ("\u00e9",)
    assert image_set.read(0) == "bytes of test/e\u0301/1.jpg".encode()


# ---- Other things in folders ----


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


def test_what_is_hidden_and_what_systems_put_there_is_passed_over(tmp_path):
    write(tmp_path, "rose/a.jpg", "tulip/a.jpg", "README.md", "rose/.a.jpg", "rose/._a.jpg")
    write(
        tmp_path,
        "rose/Thumbs.db",
        "rose/desktop.ini",
        "rose/.DS_Store",
        "rose/Icon\r",
        ".cache/a.jpg",
    )
    write(tmp_path, "rose/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/rose/._a.jpg")
    image_set = folder(tmp_path)
    assert image_set.ids.tolist() == ["rose/a.jpg", "tulip/a.jpg"]
    assert image_set.class_names == ("rose", "tulip")


def test_a_folder_called_like_a_photograph(tmp_path):
    write(tmp_path, "rose/folder.jpg/a.jpg")
    write(tmp_path, "iris/a.jpg")
    assert folder(tmp_path).ids.tolist() == ["iris/a.jpg", "rose/folder.jpg/a.jpg"]


def test_links_to_folders_within(tmp_path):
    write(tmp_path, "rose/a.jpg", "iris/b.jpg")
    (tmp_path / "rosa").symlink_to("rose")
    (tmp_path / "iris" / "more").symlink_to("../rose")
    image_set = folder(tmp_path)
    names = ["iris/b.jpg", "iris/more/a.jpg", "rosa/a.jpg", "rose/a.jpg"]
    assert image_set.ids.tolist() == names
    assert image_set.read(1) == image_set.read(2) == b"bytes of rose/a.jpg"


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
    [[], ["a.jpg", "b.jpg"], ["rose/a.txt"]],
    ids=["empty", "no class folders", "no photographs"],
)
def test_a_folder_of_another_layout_is_refused_with_the_tree_expected(tmp_path, names):
    write(tmp_path, *names)
    with pytest.raises(UserError, match="no class folders with photographs") as refused:
        folder(tmp_path)
    message, _, tree = str(refused.value).partition("\n")
    assert str(tmp_path) in message
    assert ".jpg, .mpo, .png, .tif, .tiff, .webp" in message
    assert tree == f"  {tmp_path.name}/" + TREE
    if names:
        assert (
            "photographs in no class folder (2)" if len(names) > 1 else ".txt files (1)"
        ) in message
