import re

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.sources.table import table
from nfl_keras.errors import UserError


def photographs(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(f"bytes of {name}".encode())


def write(root, columns, kind="csv"):
    path = root / f"table.{kind}"
    made = pyarrow.table(columns)
    if kind == "csv":
        pyarrow.csv.write_csv(made, path)
    else:
        pyarrow.parquet.write_table(made, path)
    return path


def refusal(path, **arguments):
    with pytest.raises(UserError) as refused:
        table(path, **arguments)
    assert "\n" not in str(refused.value)
    assert repr(str(path)) in str(refused.value)
    return str(refused.value)


@pytest.fixture(params=["csv", "parquet"])
def kind(request):
    return request.param


NAMES = ["b/photo 1.jpg", "a/é.png", "c.jpg"]


def test_paths_labels_and_split(tmp_path, kind):
    photographs(tmp_path, *NAMES)
    columns = {
        "price": [1.5, None, 3.0],
        "split": ["query", "train", "gallery"],
        "label": ["tulip", "rose, red", "tulip"],
        "path": NAMES,
    }
    image_set = table(str(write(tmp_path, columns, kind)))
    assert image_set.ids.tolist() == NAMES
    assert image_set.class_names == ("rose, red", "tulip")
    assert image_set.labels.tolist() == [1, 0, 1]
    assert image_set.own_split.tolist() == ["query", "train", "gallery"]
    assert [image_set.read(i) for i in range(3)] == [f"bytes of {n}".encode() for n in NAMES]
    assert image_set.description == ""


@given(labels=st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=8))
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_integer_labels_are_ordered_as_numbers(tmp_path_factory, kind, labels):
    root = tmp_path_factory.mktemp("root")
    names = [f"{i}.jpg" for i in range(len(labels))]
    photographs(root, *names)
    image_set = table(write(root, {"path": names, "label": labels}, kind))
    assert image_set.own_split is None
    assert [int(image_set.class_names[label]) for label in image_set.labels] == labels
    assert image_set.class_names == tuple(str(label) for label in sorted(set(labels)))


def test_labels_of_a_csv_are_what_is_written(tmp_path):
    photographs(tmp_path, *(f"{i}.jpg" for i in range(6)))
    labels = ["NA", "null", "2012-01-01", "007", "true", "1.50"]
    rows = [f"{i}.jpg,{label}" for i, label in enumerate(labels)]
    (tmp_path / "t.CSV").write_text("\n".join(["\ufeffpath,label", *rows]), encoding="utf-8")
    image_set = table(tmp_path / "t.CSV")
    assert [image_set.class_names[label] for label in image_set.labels] == labels


DECIMAL = pyarrow.decimal128(30, 2)  # As databases return numbers.


# Types of columns that libraries write: Polars views, DuckDB and Spark binary, pandas categories.
@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.string(),
        pyarrow.large_string(),
        pyarrow.string_view(),
        pyarrow.binary(),
        pyarrow.large_binary(),
        pyarrow.binary_view(),
        pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
        pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
    ],
    ids=str,
)
def test_every_type_of_text_in_parquet(tmp_path, kind):
    photographs(tmp_path, *NAMES)
    columns = {"path": NAMES, "label": ["y", "x", "y"], "split": ["train", "train", "test"]}
    columns = {name: pyarrow.array(values).cast(kind) for name, values in columns.items()}
    path = write(tmp_path, columns, "parquet")
    assert pyarrow.parquet.read_schema(path).field("label").type == kind
    image_set = table(path)
    assert image_set.ids.tolist() == NAMES
    assert (image_set.class_names, image_set.labels.tolist()) == (("x", "y"), [1, 0, 1])
    assert image_set.own_split.tolist() == ["train", "train", "test"]


@pytest.mark.parametrize(
    "kind", [*map(pyarrow.type_for_alias, ("int8", "uint64", "bool", "double")), DECIMAL], ids=str
)
def test_labels_that_are_no_text_in_parquet(tmp_path, kind):
    photographs(tmp_path, *NAMES)
    labels = pyarrow.array([1, 0, 1]).cast(kind)
    assert table(write(tmp_path, {"path": NAMES, "label": labels}, "parquet")).labels.tolist() == [
        1,
        0,
        1,
    ]


def test_binary_columns_that_are_no_text_are_refused(tmp_path):
    columns = {"path": ["a.jpg"], "label": pyarrow.array([b"\xff"])}
    assert "cannot be read" in refusal(write(tmp_path, columns, "parquet"))


# Tables as editors and spreadsheets write them; each has the photographs a.jpg and s/b.jpg.
TEXTS = {
    "semicolons": "path;label\na.jpg;x, y\ns/b.jpg;z\n",
    "tabs": "path\tlabel\na.jpg\tx, y\ns/b.jpg\tz\n",
    "bars": "path|label\na.jpg|x, y\ns/b.jpg|z\n",
    "quotes": 'path,label\n"a.jpg","x, y"\ns/b.jpg,"z"\n',
    "quotes and semicolons": '"path";"label"\n"a.jpg";"x, y"\n"s/b.jpg";"z"\n',
    "a comma in another name": '"price, EUR";path;label\n1,5;a.jpg;x, y\n2,5;s/b.jpg;z\n',
    "byte order mark": "\ufeffpath;label\na.jpg;x, y\ns/b.jpg;z\n",
    "line ends of Windows": 'path,label\r\na.jpg,"x, y"\r\ns/b.jpg,z\r\n',
    "line ends of old Macs": 'path,label\ra.jpg,"x, y"\rs/b.jpg,z\r',
    "no last line end": "path;label\na.jpg;x, y\ns/b.jpg;z",
    "empty lines": "\n\npath;label\n\na.jpg;x, y\n\ns/b.jpg;z\n\n",
    "spaces around names and values": "path ; label; note\na.jpg ; x, y;\n s/b.jpg; z;\n",
    "spaces after commas": "path, label\na.jpg, x; y\ns/b.jpg, z\n",
    "capitals": "Path;LABEL\na.jpg;x, y\ns/b.jpg;z\n",
    "a name twice in other cases": "Path;path;label\n?;a.jpg;x, y\n?;s/b.jpg;z\n",
    "paths of Windows": "path;label\n.\\a.jpg;x, y\ns\\b.jpg;z\n",
    "line ends in cells": 'note;path;label\n"two\nlines";a.jpg;x, y\n;s/b.jpg;z\n',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_as_editors_and_spreadsheets_write_them(tmp_path, text, encoding, suffix):
    photographs(tmp_path, "a.jpg", "s/b.jpg")
    path = tmp_path / f"table{suffix}"
    path.write_bytes(text.removeprefix("\ufeff" * (encoding == "utf-16")).encode(encoding))
    image_set = table(path)
    assert image_set.ids.tolist() == ["a.jpg", "s/b.jpg"]
    assert [name.replace(";", ",") for name in image_set.class_names] == ["x, y", "z"]
    assert image_set.labels.tolist() == [0, 1]
    assert image_set.read(1) == b"bytes of s/b.jpg"


def test_text_in_an_old_encoding_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes("path;label\na.jpg;Märzenbecher\n".encode("cp1252"))
    assert "save it as CSV in UTF-8" in refusal(tmp_path / "t.csv")


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("path,label,label\na.jpg,1,2\n")
    assert "two columns 'label'" in refusal(tmp_path / "t.csv")


def test_names_and_labels_in_another_normal_form(tmp_path, kind):
    photographs(tmp_path, "u\u0308/e\u0301.jpg", "b.jpg")
    columns = {"path": ["\u00fc/\u00e9.jpg", "b.jpg"], "label": ["\u00e9", "e\u0301"]}
    for policy in ("error", "skip"):
        image_set = table(write(tmp_path, columns, kind), policy)
        assert image_set.ids.tolist() == columns["path"]
        assert image_set.class_names == ("\u00e9",)
        assert image_set.read(0) == "bytes of u\u0308/e\u0301.jpg".encode()
        assert image_set.read(1) == b"bytes of b.jpg"


def test_names_of_splits_are_those_of_folders(tmp_path, kind):
    photographs(tmp_path, *NAMES)
    columns = {"path": NAMES, "label": NAMES, "split": ["Training", " val", "TEST"]}
    split = table(write(tmp_path, columns, kind)).own_split
    assert split.tolist() == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"path": ["a.jpg", "", "c.jpg"]}, "column 'path', row 2 is empty"),
        ({"label": ["", "x", "x"]}, "column 'label', row 1 is empty"),
        ({"split": ["train", "test", ""]}, "column 'split', row 3 is empty"),
        (
            {"split": ["train", "held", "test"]},
            "column 'split', row 2 is 'held'; it must be one of",
        ),
        (
            {"path": ["a.jpg", "b.jpg", "../c.jpg"]},
            "column 'path', row 3 is '../c.jpg'; it must lie",
        ),
        ({"path": ["/a.jpg", "b.jpg", "c.jpg"]}, "column 'path', row 1 is '/a.jpg'; it must lie"),
        ({"path": ["a.jpg", "C:\\b.jpg", "c.jpg"]}, r"row 2 is 'C:\\b.jpg'; it must lie"),
        ({"path": ["a.jpg", "b.jpg", "..\\c.jpg"]}, "row 3 is '..\\\\c.jpg'; it must lie"),
        ({"path": ["a.jpg", "b.jpg", "x/../a.jpg"]}, "column 'path', row 3 repeats row 1"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_column(tmp_path, kind, changed, what):
    columns = {"path": ["a.jpg", "b.jpg", "c.jpg"], "label": ["x", "y", "x"], **changed}
    photographs(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    assert what in refusal(write(tmp_path, columns, kind))


def test_nulls_of_parquet_are_named(tmp_path):
    columns = {"path": ["a.jpg", "b.jpg"], "label": pyarrow.array([3, None])}
    assert "column 'label', row 2 is empty" in refusal(write(tmp_path, columns, "parquet"))


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"path": ["a.jpg"], "label": [1.5]}, "'label' of .* must be text or integers, not double"),
        ({"path": ["a.jpg"], "label": [float("nan")]}, "'label' of .*, not double"),
        ({"path": [1], "label": [1]}, "'path' of .* must be text, not int64"),
        ({"file": ["a.jpg"], "label": [1]}, "no column 'path', but"),
    ],
)
def test_columns_of_another_kind_are_refused(tmp_path, columns, what):
    assert re.search(what, refusal(write(tmp_path, columns, "parquet")))


def test_a_table_without_label_rows_or_sense_is_refused(tmp_path, kind):
    path = write(tmp_path, {"path": ["a.jpg"], "class": ["x"]}, kind)
    assert "no column 'label'" in refusal(path)
    path = write(
        tmp_path, {n: pyarrow.array([], pyarrow.string()) for n in ("path", "label")}, kind
    )
    assert "has no rows" in refusal(path)
    path.write_bytes(b"\x00\xff\n\xfe,,\n")
    refusal(path)
    assert "cannot be read" in refusal(tmp_path / f"nowhere.{kind}")


def test_missing_photographs(tmp_path, kind):
    photographs(tmp_path, "a.jpg")
    columns = {"path": ["a.jpg", "b.jpg"], "label": ["x", "y"], "split": ["train", "test"]}
    path = write(tmp_path, columns, kind)
    with pytest.raises(UserError, match=r"1 of the 2 photographs of .* \(the first: b\.jpg\)"):
        table(path)
    part = table(path, missing_images="skip")
    assert (part.ids.tolist(), part.own_split.tolist()) == (["a.jpg"], ["train"])
    assert part.description == "in part: 1 of 2 photographs"
    (tmp_path / "a.jpg").unlink()
    for policy in ("error", "skip"):
        assert "none of the 2 photographs" in refusal(path, missing_images=policy)
    photographs(tmp_path, "A.JPG")
    there = str(tmp_path / "A.JPG")
    assert f"(the first: 'a.jpg', and there is {there!r})" in refusal(path)


def test_links_out_of_the_folder_are_refused(tmp_path):
    photographs(tmp_path, "secret.jpg", "root/a.jpg")
    (tmp_path / "root" / "b.jpg").symlink_to("../secret.jpg")
    image_set = table(write(tmp_path / "root", {"path": ["a.jpg", "b.jpg"], "label": [1, 2]}))
    with pytest.raises(UserError, match=r"'b\.jpg' leads out"):
        image_set.read(1)
