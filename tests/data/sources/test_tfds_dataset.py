import concurrent.futures
import io
import pathlib
import tracemalloc

import numpy as np
import pytest
import tensorflow_datasets as tfds

from nfl_keras.data.sources.tfds_builder import find_prepared
from nfl_keras.data.sources.tfds_dataset import _own_split, tfds_dataset
from nfl_keras.errors import UserError

FORMATS = ("tfrecord", "array_record")
FEATURES = {
    "image": tfds.features.Image(),
    "label": tfds.features.ClassLabel(names=["rose", "tulip", "iris"]),
}


@pytest.fixture(scope="module", autouse=True)
def _no_progress_bars():
    tfds.disable_progress_bar()


def prepare(root, examples, features=FEATURES, keys=None, file_format="array_record", shards=1):
    """Prepares the dataset `petals` 1.0.0 as TFDS does, from a list of examples per split."""

    class Petals(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=keys,
            )

        def _split_generators(self, _):
            return {split: enumerate(examples[split]) for split in examples}

        def _generate_examples(self):
            raise NotImplementedError

    Petals(data_dir=str(root), file_format=file_format).download_and_prepare(
        download_config=tfds.download.DownloadConfig(num_shards=shards)
    )
    return pathlib.Path(root)


def example(encoded_image, label=0, **others):
    return {"image": io.BytesIO(encoded_image), "label": label, **others}


# ---- What was prepared is what is read ----


@pytest.fixture(scope="module")
def photographs(encoded, noise):
    """File name -> (bytes, label) of a training and a test split."""
    return {
        split: {
            f"{split}/{i}.jpg": (encoded(noise(8, 9, seed=first + i), file_format), i % 3)
            for i in range(count)
            for file_format in ["JPEG" if i % 2 else "PNG"]
        }
        for split, first, count in (("train", 0, 40), ("test", 40, 20))
    }


@pytest.fixture(scope="module", params=FORMATS)
def petals(request, tmp_path_factory, photographs):
    """The root of a dataset with a mask and a text beside each photograph, in three shards."""
    mask = np.full((4, 4, 1), 255, np.uint8)
    return prepare(
        tmp_path_factory.mktemp(request.param),
        {
            split: [
                example(
                    encoded_image,
                    label,
                    segmentation_mask=mask,
                    **{"image/filename": name, "label_name": str(label)},
                )
                for name, (encoded_image, label) in files.items()
            ]
            for split, files in photographs.items()
        },
        {
            **FEATURES,
            "segmentation_mask": tfds.features.Image(shape=(None, None, 1)),
            "image/filename": tfds.features.Text(),
            "label_name": tfds.features.Text(),
        },
        keys=("image", "label"),
        file_format=request.param,
        shards=3,
    )


def test_every_photograph_with_its_bytes_label_and_split(petals, photographs):
    assert len(list(petals.glob("petals/1.0.0/petals-train.*-of-00003"))) == 3
    image_set = tfds_dataset("petals", petals)
    assert image_set.class_names == ("rose", "tulip", "iris")
    files = photographs["train"] | photographs["test"]
    assert sorted(image_set.ids) == sorted(files)
    for i, name in enumerate(image_set.ids):
        assert (image_set.read(i), image_set.labels[i]) == files[name]
        assert image_set.own_split[i] == name.partition("/")[0]


def test_both_formats_give_one_order(tmp_path, encoded, noise):
    examples = {"train": [(encoded(noise(4, 4, i)), i % 3) for i in range(30)]}
    one, other = (
        tfds_dataset(
            "petals",
            prepare(
                tmp_path / file_format,
                {split: [example(*e) for e in examples[split]] for split in examples},
                file_format=file_format,
                shards=shards,
            ),
        )
        for file_format, shards in zip(FORMATS, (1, 4), strict=True)
    )
    assert one.ids.tolist() == other.ids.tolist()
    assert [one.read(i) for i in range(30)] == [other.read(i) for i in range(30)]


def test_threads_read_at_once(petals):
    image_set = tfds_dataset("petals", petals)
    alone = [image_set.read(i) for i in range(60)]
    again = tfds_dataset("petals", petals)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(again.read, [*range(60)] * 4)) == alone * 4


def test_the_root_the_name_and_the_version_folder_are_alike(petals, monkeypatch):
    ids = tfds_dataset("petals", petals).ids.tolist()
    for folder in (str(petals), petals / "petals", str(petals / "petals" / "1.0.0")):
        assert tfds_dataset("petals", folder).ids.tolist() == ids
    assert tfds_dataset("petals:1.0.0", petals).ids.tolist() == ids
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(petals))
    assert tfds_dataset("petals").ids.tolist() == ids


@pytest.mark.parametrize("file_format", FORMATS)
def test_nothing_is_decoded_and_no_photograph_held(tmp_path, file_format):
    photographs = [bytes([i]) * 100_000 for i in range(40)]  # which no decoder would take
    examples = {"train": [example(photograph) for photograph in photographs]}
    prepare(tmp_path, examples, file_format=file_format)
    tfds_dataset("petals", tmp_path)
    tracemalloc.start()
    image_set = tfds_dataset("petals", tmp_path)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000
    assert sorted(image_set.read(i) for i in range(40)) == photographs


# ---- Ids and splits ----


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"train": ["a", "b"], "test": ["c"]}, ["a", "b", "c"]),
        ({"train": ["a", "b"], "test": ["a"]}, ["train/a", "train/b", "test/a"]),
        ({"train": ["a", "a"], "test": ["c"]}, ["train/00000", "train/00001", "test/00000"]),
        ({"train": [7, 8], "test": [9]}, ["7", "8", "9"]),
    ],
)
def test_ids_are_file_names_where_these_are_unique(tmp_path, names, expected):
    kind = tfds.features.Text() if names["test"] != [9] else tfds.features.Scalar(np.int64)
    prepare(
        tmp_path,
        {
            split: [example(f"{split}/{n}".encode(), file_name=n) for n in names[split]]
            for split in names
        },
        {**FEATURES, "file_name": kind},
    )
    image_set = tfds_dataset("petals", tmp_path)
    assert sorted(image_set.ids) == sorted(expected)
    if expected[0] != "train/00000":
        for i, name in enumerate(image_set.ids):
            assert image_set.read(i).decode().endswith(name.rpartition("/")[2])


def test_examples_without_label_are_left_out(tmp_path):
    labels = {"train": [0, -1, 2, -1, 1], "test": [-1, -1]}
    prepare(
        tmp_path,
        {s: [example(f"{s} {v}".encode(), v) for v in values] for s, values in labels.items()},
    )
    image_set = tfds_dataset("petals", tmp_path)
    assert sorted(image_set.labels) == [0, 1, 2]
    assert image_set.own_split is None
    for i, label in enumerate(image_set.labels):
        assert image_set.read(i) == f"train {label}".encode()


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (["train", "test"], ["train", "test"]),
        (["train", "validation", "test"], ["train", "validation", "test"]),
        (["train", "validation"], ["train", "test"]),
        (["train", "val"], ["train", "test"]),
        (["train", "gallery", "query"], ["train", "gallery", "query"]),
        (["train", "validation", "query"], ["train", "validation", "test"]),
        (["train"], None),
        (["test"], None),
        (["train", "gallery"], ["train", "test"]),
        (["train", "test", "extra"], None),
        ([], None),
    ],
)
def test_own_split_of_tfds_splits(splits, expected):
    assert _own_split(splits) == expected


# ---- Which image, which label ----


def test_the_only_image_and_the_only_label_need_no_supervised_keys(tmp_path):
    prepare(tmp_path, {"train": [example(b"photograph", 2)]})
    image_set = tfds_dataset("petals", tmp_path)
    assert (image_set.read(0), image_set.labels.tolist()) == (b"photograph", [2])


@pytest.mark.parametrize(
    ("changes", "described"),
    [
        ({"label": tfds.features.Scalar(np.int64)}, "image (Image), label (Scalar)"),
        (
            {"color": tfds.features.ClassLabel(num_classes=2)},
            "color (ClassLabel), image (Image), label (ClassLabel)",
        ),
        (
            {"mask": tfds.features.Image(shape=(None, None, 1))},
            "image (Image), label (ClassLabel), mask (Image)",
        ),
        (
            {"image": tfds.features.Image(shape=(None, None, 1), dtype=np.uint16)},
            "image (Image), label (ClassLabel)",
        ),
    ],
    ids=["no label", "two labels", "two images", "no image of bytes"],
)
def test_features_that_leave_no_choice_or_several_are_named(tmp_path, encoded, changes, described):
    values = {"color": 1, "mask": np.zeros((2, 2, 1), np.uint8)}
    more = {key: values[key] for key in changes if key in values}
    prepare(tmp_path, {"train": [example(b"photograph", 1, **more)]}, FEATURES | changes)
    with pytest.raises(UserError) as refused:
        tfds_dataset("petals", tmp_path)
    assert described in str(refused.value)
    assert "\n" not in str(refused.value)


# ---- TFDS' own datasets, mocked by TFDS ----

BOX = tfds.features.BBox(0.0, 0.25, 0.5, 1.0)


def car(number, label):
    return {"label": label, "bbox": BOX, "id": f"{number:05d}"}


def bird(number, label):
    return {
        "label": label,
        "label_name": "a bird",
        "image/filename": f"birds/{label}_{number}.jpg",
        "bbox": BOX,
        "segmentation_mask": np.zeros((4, 4, 1), np.uint8),
    }


def product(number, label):
    kind = "lamp" if label == 5 else "sofa"
    return {"class_id": label, "super_class_id/num": number, "super_class_id": kind}


@pytest.mark.parametrize(
    ("name", "make", "num_classes", "ids"),
    [
        ("cars196", car, 196, ["train/00000", "train/00001", "test/00000", "test/00001"]),
        (
            "caltech_birds2011",
            bird,
            200,
            ["birds/0_0.jpg", "birds/199_1.jpg", "birds/5_0.jpg", "birds/6_1.jpg"],
        ),
        (
            "stanford_online_products",
            product,
            22_634,
            ["train/00000", "train/00001", "test/00000", "test/00001"],
        ),
    ],
)
def test_datasets_of_tfds(tmp_path, encoded, noise, name, make, num_classes, ids):
    builder = tfds.builder(name, data_dir=str(tmp_path), file_format="array_record")
    template = tfds.core.ShardedFileTemplate(
        data_dir=builder.data_path, dataset_name=name, filetype_suffix="array_record"
    )
    splits = [
        tfds.core.SplitInfo(name=split, shard_lengths=[2], num_bytes=0, filename_template=template)
        for split in ("train", "test")
    ]
    builder.info.set_splits(tfds.core.SplitDict(splits))
    builder.data_path.mkdir(parents=True)
    builder.info.write_to_directory(builder.data_path)

    labels = {"train": [0, num_classes - 1], "test": [5, 6]}
    images = {"train": [encoded(noise(6, 7, i), "JPEG") for i in (0, 1)]}
    images["test"] = [encoded(noise(7, 6, i), "JPEG") for i in (2, 3)]

    def as_data_source(self, split, deserialize_method, **_):
        assert deserialize_method is tfds.decode.DeserializeMethod.RAW_BYTES
        return [
            self.info.features.serialize_example(
                {"image": io.BytesIO(images[split][i]), **make(i, labels[split][i])}
            )
            for i in (0, 1)
        ]

    with tfds.testing.mock_data(data_dir=str(tmp_path), as_data_source_fn=as_data_source):
        image_set = tfds_dataset(name, tmp_path)
        assert find_prepared(["petals", name], tmp_path) == name
    assert image_set.ids.tolist() == ids
    assert image_set.labels.tolist() == labels["train"] + labels["test"]
    assert len(image_set.class_names) == num_classes
    if name == "stanford_online_products":
        kinds = [image_set.categories[label] for label in image_set.labels]
        assert kinds == ["sofa", "sofa", "lamp", "sofa"]
    else:
        assert image_set.categories is None
    assert image_set.own_split.tolist() == ["train", "train", "test", "test"]
    assert [image_set.read(i) for i in range(4)] == images["train"] + images["test"]


# ---- What is not there ----


@pytest.mark.parametrize(
    ("installed", "first"),
    [
        ({"apache_beam", "importlib_resources", "mlcroissant", "cv2"}, ""),
        (
            {"importlib_resources"},
            "pip install apache-beam mlcroissant opencv-python-headless && ",
        ),
    ],
)
def test_what_is_not_prepared_comes_with_the_command(tmp_path, monkeypatch, installed, first):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name in installed or None)
    folder = tmp_path / "data sets"
    with pytest.raises(UserError) as refused:
        tfds_dataset("caltech_birds2011", folder)
    assert str(refused.value) == (
        f"caltech_birds2011 is not prepared below '{folder}'; run `{first}tfds build "
        f"caltech_birds2011 --data_dir '{folder}' --file_format=array_record`, then your command "
        f"again."
    )


@pytest.mark.parametrize("name", ["cars196", "stanford_cars196"])
def test_cars196_is_prepared_by_our_builder(tmp_path, name):
    with pytest.raises(UserError) as refused:
        tfds_dataset(name, tmp_path)
    told = str(refused.value)
    assert (
        f"tfds build stanford_cars196 --imports nfl_keras.data.sources.cars196_builder "
        f"--manual_dir DIR --data_dir {tmp_path} --file_format=array_record`" in told
    )
    assert ("404" in told) == (name == "cars196")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cars169", "did you mean cars196"),
        ("caltech_bird2011", "did you mean caltech_birds2011"),
        ("xyzzyxyzzy", "TFDS knows no dataset 'xyzzyxyzzy'"),
        ("../petals", "cannot be looked up"),
    ],
)
def test_unknown_names_are_told_with_those_alike(tmp_path, name, told):
    with pytest.raises(UserError, match=told) as refused:
        tfds_dataset(name, tmp_path)
    assert "\n" not in str(refused.value)


def test_another_version_or_dataset_is_not_taken(petals):
    for name, folder in (("petals:2.0.0", petals), ("mnist", petals / "petals" / "1.0.0")):
        assert find_prepared([name], folder) is None
        with pytest.raises(UserError, match=r"knows no dataset|is not prepared"):
            tfds_dataset(name, folder)


def test_the_first_prepared_name_is_found(petals, tmp_path):
    assert find_prepared(["cars196", "petals", "mnist"], petals) == "petals"
    assert find_prepared(["petals"], petals / "petals" / "1.0.0") == "petals"
    assert find_prepared(["petals"], tmp_path) is None
    assert find_prepared(["petals"], tmp_path / "nowhere") is None


def test_two_registered_folders_with_one_dataset_are_refused(tmp_path, monkeypatch):
    for root in ("one", "two"):
        prepare(tmp_path / root, {"train": [example(b"photograph")]})
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "one"))
    monkeypatch.setattr(
        tfds.core.utils.file_utils, "_REGISTERED_DATA_DIRS", {tfds.core.Path(tmp_path / "two")}
    )
    with pytest.raises(UserError, match="multiple locations") as refused:
        tfds_dataset("petals")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("damage", ["missing", "truncated", "emptied"])
def test_damaged_shards_are_told(tmp_path, file_format, damage):
    prepare(tmp_path, {"train": [example(b"a" * 900) for _ in range(3)]}, file_format=file_format)
    (shard,) = tmp_path.glob("petals/1.0.0/petals-train.*")
    if damage == "missing":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[: 1500 if damage == "truncated" else 0])
    with pytest.raises(UserError, match=r"petals-train\.|is damaged") as refused:
        tfds_dataset("petals", tmp_path)
    assert "\n" not in str(refused.value)


def test_other_formats_are_refused_with_the_mend(tmp_path):
    prepare(tmp_path, {"train": [example(b"photograph")]}, file_format="parquet")
    with pytest.raises(UserError, match=r"is stored as parquet.*array_record"):
        tfds_dataset("petals", tmp_path)
