import concurrent.futures
import struct

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from nfl_keras.data.sources.tfrecords import TFRecords
from nfl_keras.errors import UserError


def write(folder, shards):
    paths = [folder / f"shard-{i}.tfrecord" for i in range(len(shards))]
    for path, records in zip(paths, shards, strict=True):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
    return paths


@settings(max_examples=40)
@given(st.lists(st.lists(st.binary(max_size=300), max_size=5), max_size=4))
def test_records_as_tensorflow_wrote_them(tmp_path_factory, shards):
    records = TFRecords(write(tmp_path_factory.mktemp("shards"), shards))
    written = [record for shard in shards for record in shard]
    assert len(records) == len(written)
    assert [records[i] for i in reversed(range(len(written)))] == written[::-1]


def test_records_larger_than_a_buffer(tmp_path):
    written = [bytes([i]) * 300_000 for i in range(5)]
    records = TFRecords(write(tmp_path, [written[:2], written[2:]]))
    assert [records[i] for i in range(5)] == written


def test_threads_do_not_disturb_each_other(tmp_path):
    written = [struct.pack("<I", i) * 5_000 for i in range(60)]
    records = TFRecords(write(tmp_path, [written[:20], written[20:]]))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(records.__getitem__, [*range(60)] * 5)) == written * 5


@pytest.mark.parametrize("cut", [1, 4, 5, 100, 104, 112, 115])
def test_a_shard_that_ends_within_a_record_is_named(tmp_path, cut):
    good, bad = write(tmp_path, [[b"a" * 100], [b"b" * 50, b"c" * 100]])
    bad.write_bytes(bad.read_bytes()[:-cut])
    with pytest.raises(UserError, match=r"shard-1\.tfrecord' ends within a record") as refused:
        TFRecords([good, bad])
    assert "\n" not in str(refused.value)


def test_a_missing_shard_is_named(tmp_path):
    paths = write(tmp_path, [[b"a"], [b"b"]])
    paths[1].unlink()
    with pytest.raises(UserError, match=r"shard-1\.tfrecord' cannot be read \(No such file"):
        TFRecords(paths)
