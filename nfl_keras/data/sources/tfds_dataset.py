"""Defines how a dataset that TensorFlow Datasets (TFDS) has prepared on disk is read."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow_datasets as tfds
from google.protobuf import message

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.split_meanings import split_meanings
from nfl_keras.data.sources.tfds_builder import find_builder, how_to_prepare
from nfl_keras.data.sources.tfrecords import TFRecords
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

# The finest label of datasets whose supervised keys do not name one of several labels.
_LABELS = {"stanford_online_products": "class_id"}
_CATEGORIES = {"stanford_online_products": "super_class_id"}
_FILE_NAMES = ("image/filename", "image/file_name", "file_name", "filename", "image_id", "id")


class Records(Protocol):
    """The records of a split, by position."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int) -> bytes: ...


def tfds_dataset(name: str, data_dir: Path | None = None) -> ImageSet:
    """Returns all photographs of a dataset that TFDS has prepared.

    It downloads nothing, runs no builder's code, and decodes no image: one pass reads the labels,
    and `ImageSet.read` reads a photograph. The formats are array_record and TFDS' default,
    tfrecord.

    The image and the label are the dataset's supervised keys, or else its only image and its
    only class label. `stanford_online_products` has three labels, of which `class_id` is taken, and
    `super_class_id` as the category of a class. No other dataset has categories.

    An id is the dataset's file name feature (`image/filename`, `file_name`, `id`, ...) if it
    is unique, `split/file name` if it is unique within its split, or otherwise the place in the
    split, `train/00012`. Examples without a label (-1) are left out.

    `own_split` has what the names of TFDS' splits mean, see `split_meanings`. A dataset with a
    split of another name, without photographs to train on, or without photographs to test has no
    own split.

    Args:
        name: str, TFDS' name: `"caltech_birds2011"`, `"eurosat/rgb"`, `"cars196:2.1.0"`.
            Without a version it is the newest version on disk.
        data_dir: str or path of TFDS' folder, which holds `NAME/VERSION/`, or of `NAME/` or
            `NAME/VERSION/`. Defaults to `None`: TFDS' default folder, which `TFDS_DATA_DIR`
            sets.

    Returns:
        An `ImageSet`, split by split, each in TFDS' order.

    Raises:
        UserError: if the dataset is not prepared, does not have one image and one class label,
            is stored in another format, or is damaged.

    Example:

    It needs a dataset that TFDS has prepared.

    >>> from nfl_keras.data.sources.tfds_dataset import tfds_dataset
    >>> image_set = tfds_dataset("caltech_birds2011")  # doctest: +SKIP
    """
    builder = find_builder(name, data_dir)
    if builder is None:
        raise UserError(how_to_prepare(name, data_dir))
    image, label = _image_and_label(builder)
    splits = [split for split, info in builder.info.splits.items() if info.num_examples]
    sources = [_records(builder, split) for split in splits]
    features = builder.info.features
    scalars = [key for key, feature in features.items() if feature.shape == ()]
    file_name = next((key for key in _FILE_NAMES if key in scalars), None)
    try:
        labels, names, numbers_of = _index(
            sources, label, file_name, _CATEGORIES.get(builder.name, label)
        )
    except (RuntimeError, message.DecodeError) as error:
        raise UserError(_damaged(builder, str(error).partition("\n")[0])) from error

    counts = [len(source) for source in sources]
    places = np.concatenate([np.arange(count) for count in (0, *counts)])
    kept = np.flatnonzero(labels >= 0)
    numbers = np.repeat(np.arange(len(splits)), counts)[kept]
    places = places[kept]
    split_of = [splits[number] for number in numbers]
    categories = None
    if builder.name in _CATEGORIES:
        known = features[_CATEGORIES[builder.name]].names
        categories = [known[numbers_of.get(c, 0)] for c in range(features[label].num_classes)]

    def read(position: int) -> bytes:
        example = _parse(sources[numbers[position]][int(places[position])])
        return example[image].bytes_list.value[0]

    return ImageSet(
        ids=_ids(split_of, places, [names[i] for i in kept] if names else None),
        labels=labels[kept],
        class_names=features[label].names,
        read=read,
        own_split=_own_split(split_of),
        categories=categories,
    )


def _image_and_label(builder: Any) -> list[str]:
    keys: tuple[Any, ...] = builder.info.supervised_keys or ()
    image, label, *_ = (*keys, None, None)
    features = builder.info.features
    chosen: list[str] = []
    for kind, dtype, preferred in (
        (tfds.features.Image, np.uint8, image),
        (tfds.features.ClassLabel, np.int64, _LABELS.get(builder.name, label)),
    ):
        fitting = [k for k, f in features.items() if isinstance(f, kind) and f.np_dtype == dtype]
        chosen += fitting if len(fitting) == 1 else [key for key in fitting if key == preferred]
    if len(chosen) < 2:
        described = ", ".join(f"{k} ({type(f).__name__})" for k, f in sorted(features.items()))
        raise UserError(
            f"{builder.name} does not have one image of uint8 and one class label to learn from; "
            f"its features are {described}."
        )
    return chosen


def _records(builder: Any, split: str) -> "Records":
    formats = builder.info.available_file_formats()
    if tfds.core.FileFormat.ARRAY_RECORD in formats:
        return builder.as_data_source(
            split,
            deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES,
            file_format="array_record",
        )
    if tfds.core.FileFormat.TFRECORD in formats:
        info = builder.info.splits[split]
        records = TFRecords(info.filepaths)
        if len(records) < info.num_examples:
            raise UserError(_damaged(builder, f"{info.num_examples - len(records)} are missing"))
        return records
    stored = ", ".join(sorted(file_format.value for file_format in formats))
    raise UserError(
        f"{builder.name} at {str(builder.data_path)!r} is stored as {stored}; run `tfds build` "
        f"with --file_format=array_record."
    )


def _damaged(builder: Any, reason: str) -> str:
    return (
        f"{builder.name} at {str(builder.data_path)!r} is damaged ({reason}); prepare it again by "
        f"`tfds build` with --overwrite."
    )


def _parse(record: bytes) -> Mapping[str, Any]:
    return tf.train.Example.FromString(record).features.feature


def _index(
    sources: list["Records"], label: str, file_name: str | None, category: str
) -> tuple[np.ndarray, list[str], dict[int, int]]:
    """Returns each record's label and name, and the category of each label."""
    labels: list[int] = []
    categories: dict[int, int] = {}
    names: list[str] = []
    for source in sources:
        for i in range(len(source)):
            example = _parse(source[i])
            labels.append(example[label].int64_list.value[0])
            categories[labels[-1]] = example[category].int64_list.value[0]
            if file_name is not None:
                names.append(_text(example[file_name]))
    return np.array(labels, np.int64), names, categories


def _text(feature: Any) -> str:
    (value,) = getattr(feature, feature.WhichOneof("kind")).value
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _ids(splits: list[str], places: np.ndarray, names: list[str] | None) -> list[str]:
    if names is not None:
        for ids in (names, [f"{s}/{n}" for s, n in zip(splits, names, strict=True)]):
            if len(set(ids)) == len(ids):
                return ids
    return [f"{split}/{place:05d}" for split, place in zip(splits, places, strict=True)]


def _own_split(splits: list[str]) -> list[str] | None:
    meanings = split_meanings(set(splits))
    meant = set(meanings.values())
    if meanings.keys() != set(splits) or "train" not in meant or not meant & {"test", "query"}:
        return None
    return [meanings[split] for split in splits]
