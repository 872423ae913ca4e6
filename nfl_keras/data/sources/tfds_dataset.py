"""Whatever image classification dataset TensorFlow Datasets (TFDS) has prepared on disk."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from google.protobuf import message

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.tfds_builder import find_builder, how_to_prepare
from nfl_keras.data.sources.tfrecords import TFRecords
from nfl_keras.errors import UserError

# Which label is the fine one, where supervised keys do not say and there are several.
_LABELS = {"stanford_online_products": "class_id"}
_FILE_NAMES = ("image/filename", "image/file_name", "file_name", "filename", "image_id", "id")
_VALIDATION = ("validation", "val", "dev")


def tfds_dataset(name, data_dir=None):
    """All photographs of a dataset that TFDS has prepared.

    Nothing is downloaded, no builder's code runs, and no image is decoded: one pass reads the
    labels, and photographs are read when asked for. The formats are array_record and TFDS'
    default, tfrecord.

    The image and the label are the dataset's supervised keys, or else its only image and its
    only class label; of `stanford_online_products`, which has three, it is `class_id`.

    An id is the dataset's file name feature (`image/filename`, `file_name`, `id`, ...) where it
    is unique, or `split/file name` where it is so within its split, or the place in the split,
    `train/00012`. Examples without label (-1) are left out.

    `own_split` says "train" and "test" (or "gallery" and "query") where TFDS' splits do.
    TFDS' validation photographs count as "train" beside a test split, since our own validation
    is held out of "train", and as "test" where there is no test split. A dataset with a split
    of another name, or with nothing to train on or nothing to test, has no own split.

    Args:
        name: str, as TFDS names it: `"caltech_birds2011"`, `"eurosat/rgb"`,
            `"cars196:2.1.0"`. Without version the newest one that is prepared.
        data_dir: str or `pathlib.Path`, TFDS' folder, which holds `NAME/VERSION/`, or one of
            these two. Defaults to TFDS' own default, which `TFDS_DATA_DIR` sets.

    Returns:
        An `ImageSet`, split by split, each in TFDS' order.

    Raises:
        UserError: if nothing of that name is prepared there, or it has not one image and one
            class label, or it is stored in another format, or damaged.

    Example:

    >>> image_set = tfds_dataset("caltech_birds2011")
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
        labels, names = _index(sources, label, file_name)
    except (RuntimeError, message.DecodeError) as error:
        raise UserError(_damaged(builder, str(error).partition("\n")[0])) from error

    counts = [len(source) for source in sources]
    places = np.concatenate([np.arange(count) for count in (0, *counts)])
    kept = np.flatnonzero(labels >= 0)
    numbers = np.repeat(np.arange(len(splits)), counts)[kept]
    places = places[kept]
    split_of = [splits[number] for number in numbers]

    def read(position):
        example = _parse(sources[numbers[position]][int(places[position])])
        return example[image].bytes_list.value[0]

    return ImageSet(
        ids=_ids(split_of, places, [names[i] for i in kept] if names else None),
        labels=labels[kept],
        class_names=features[label].names,
        read=read,
        own_split=_own_split(split_of),
    )


def _image_and_label(builder):
    image, label, *_ = (*(builder.info.supervised_keys or ()), None, None)
    features = builder.info.features
    chosen = []
    for kind, dtype, preferred in (
        (tfds.features.Image, np.uint8, image),
        (tfds.features.ClassLabel, np.int64, _LABELS.get(builder.name, label)),
    ):
        fitting = [k for k, f in features.items() if isinstance(f, kind) and f.np_dtype == dtype]
        chosen += [preferred] if preferred in fitting else fitting if len(fitting) == 1 else []
    if len(chosen) < 2:
        described = ", ".join(f"{k} ({type(f).__name__})" for k, f in sorted(features.items()))
        raise UserError(
            f"{builder.name} has not one image of uint8 and one class label to learn from; its "
            f"features are {described}."
        )
    return chosen


def _records(builder, split):
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


def _damaged(builder, reason):
    return (
        f"{builder.name} at {str(builder.data_path)!r} is damaged ({reason}); prepare it anew by "
        f"`tfds build` with --overwrite."
    )


def _parse(record):
    return tf.train.Example.FromString(record).features.feature


def _index(sources, label, file_name):
    labels, names = [], []
    for source in sources:
        for i in range(len(source)):
            example = _parse(source[i])
            labels.append(example[label].int64_list.value[0])
            if file_name is not None:
                names.append(_text(example[file_name]))
    return np.array(labels, np.int64), names


def _text(feature):
    (value,) = getattr(feature, feature.WhichOneof("kind")).value
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _ids(splits, places, names):
    if names is not None:
        for ids in (names, [f"{s}/{n}" for s, n in zip(splits, names, strict=True)]):
            if len(set(ids)) == len(ids):
                return ids
    return [f"{split}/{place:05d}" for split, place in zip(splits, places, strict=True)]


def _own_split(splits):
    present = set(splits)
    validation = "train" if present & {"test", "query"} else "test"
    meaning = {split: split for split in ("train", "test", "gallery", "query")}
    meaning |= dict.fromkeys(_VALIDATION, validation)
    if not present <= meaning.keys():
        return None
    meant = {meaning[split] for split in present}
    if "train" not in meant or not meant & {"test", "query"}:
        return None
    return [meaning[split] for split in splits]
