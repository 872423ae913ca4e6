import numpy as np
import pytest
from PIL import Image

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.sources.in_shop import in_shop
from nfl_keras.errors import UserError
from nfl_keras.retrieval import RetrievalTask

ROWS = """img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train
img/WOMEN/Dresses/id_00000002/02_2_side.jpg    id_00000002 train
img/MEN/Denim/id_00000080/01_1_front.jpg       id_00000080 query
img/MEN/Denim/id_00000080/01_2_side.jpg        id_00000080 gallery
img/WOMEN/Tees_Tanks/id_00000007/01_1_front.jpg id_00000007 gallery
img/WOMEN/Tees_Tanks/id_00000007/03_1_front.jpg id_00000007 query
"""
HEADER = "6\nimage_name item_id evaluation_status\n"
NAMES = [line.split()[0] for line in ROWS.splitlines()]


def write(partition, photographs, rows=ROWS):
    """Draws one color per item, a little darker for each of its photographs."""
    for folder in (partition, photographs):
        folder.mkdir(parents=True, exist_ok=True)
    (partition / "list_eval_partition.txt").write_text(HEADER + rows)
    for number, name in enumerate(NAMES):
        (photographs / name).parent.mkdir(parents=True, exist_ok=True)
        color = np.array([60, 90, 120]) + 50 * (number // 2) - number
        Image.fromarray(np.full((32, 32, 3), color, np.uint8)).save(photographs / name)


@pytest.mark.parametrize(
    ("partition", "photographs"), [(".", "."), ("Eval", "Img"), ("Eval", "."), (".", "Img")]
)
def test_the_official_layout(tmp_path, partition, photographs):
    write(tmp_path / partition, tmp_path / photographs)
    image_set = in_shop(str(tmp_path))
    assert image_set.ids.tolist() == NAMES
    assert image_set.class_names == ("id_00000002", "id_00000007", "id_00000080")
    assert image_set.categories == ("WOMEN/Dresses", "WOMEN/Tees_Tanks", "MEN/Denim")
    assert image_set.labels.tolist() == [0, 0, 2, 2, 1, 1]
    assert image_set.own_split.tolist() == [
        "train", "train", "query", "gallery", "gallery", "query",
    ]  # fmt: skip
    assert image_set.read(5) == (tmp_path / photographs / NAMES[5]).read_bytes()


def test_queries_search_the_gallery_alone(tmp_path):
    write(tmp_path, tmp_path)
    dataset = Dataset(in_shop(tmp_path), "zero-shot")
    train, query, gallery = (dataset.split(split) for split in ("train", "query", "gallery"))
    assert train.ids.tolist() == NAMES[:2]
    assert query.ids.tolist() == [NAMES[2], NAMES[5]]
    assert gallery.ids.tolist() == [NAMES[3], NAMES[4]]
    assert "the dataset's own split" in query.description
    assert "2 queries against a gallery of 2" in query.description
    vectors = np.eye(2, dtype="float32")
    report = RetrievalTask(query, gallery).evaluate(vectors, vectors)
    assert report.recall_at[1] == 1
    assert (report.num_queries, report.num_gallery) == (2, 2)


def test_missing_photographs(tmp_path):
    write(tmp_path / "Eval", tmp_path / "Img")
    (tmp_path / "Img" / NAMES[1]).unlink()
    with pytest.raises(UserError, match=r"1 of the 6 .*02_2_side\.jpg"):
        in_shop(tmp_path)
    part = in_shop(tmp_path, "skip")
    assert len(part) == 5
    assert part.description == "in part: 5 of 6 photographs"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("img/MEN/Denim/id_00000080/9.jpg id_00000080", "line 9 of .* has 2 columns, not 3"),
        ("img/MEN/Denim/id_00000080/9.jpg id_00000080 val", "into 'val', which is none of train"),
    ],
)
def test_a_damaged_list_is_named(tmp_path, row, message):
    write(tmp_path, tmp_path, ROWS + row)
    with pytest.raises(UserError, match=message) as refused:
        in_shop(tmp_path)
    assert "list_eval_partition.txt" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing_images", ["error", "skip"])
@pytest.mark.parametrize("rows", [None, "", ROWS])
def test_where_nothing_is_there_it_says_where_to_get_it(tmp_path, missing_images, rows):
    if rows is not None:
        (tmp_path / "list_eval_partition.txt").write_text(HEADER + rows)
    with pytest.raises(UserError) as refused:
        in_shop(tmp_path, missing_images)
    message = str(refused.value)
    for part in ("mmlab.ie.cuhk.edu.hk", "Img/img.zip", "id_00000080"):
        assert part in message
    assert message.endswith(f"--dataset in_shop --data-dir {tmp_path}")
    if rows:
        assert f"should be {str(tmp_path / NAMES[0])!r}" in message


def test_without_a_folder_it_says_so():
    with pytest.raises(UserError, match="in_shop is not found, since no data_dir is given"):
        in_shop()
