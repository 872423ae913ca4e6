"""Workers of Ray, two processes beside this one, some of which are killed in the midst."""

import importlib
import os
import signal

import numpy as np
import pyarrow as pa
import pytest
import ray

import nfl_keras as nfl
from nfl_keras.bulk.on_ray import on_ray
from nfl_keras.bulk.shard_writer import SHARD, ShardWriter
from nfl_keras.errors import UserError
from nfl_keras.gallery import build as indexing

module = importlib.import_module("nfl_keras.bulk.embed_to_shards")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Ray on this machine, with room for two workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv(
            "PYTHONPATH", os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
        )
        ray.init(
            "local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
        )
        yield
        ray.shutdown()


def test_a_killed_worker_loses_nothing_and_nothing_is_there_twice(
    images, model, tmp_path, monkeypatch
):
    died, log = tmp_path / "died", tmp_path / "log"

    class Mortal(ShardWriter):
        """Is killed once, in the midst of shard 1."""

        def __call__(self, block):
            name = block[SHARD][0].as_py()
            if name.startswith("00000001-") and not died.exists():
                died.write_text(str(os.getpid()))
                self._source.embed = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
            answer = super().__call__(block)
            with open(log, "a") as file:
                file.write(f"{os.getpid()} {name}\n")
            return answer

    monkeypatch.setattr(module, "ShardWriter", Mortal)
    monkeypatch.setattr(indexing, "CHUNK", 4)
    done = nfl.bulk.embed_to_shards(
        images, model, tmp_path / "shards", crops=1, shard_size=4, actors=2
    )
    assert (done.count, done.embedded, done.shards) == (13, 13, 4)
    lines = [line.split() for line in log.read_text().splitlines()]
    names = {path.name for path in (tmp_path / "shards").glob("*.parquet")}
    assert len(names) == 4
    assert {name for _, name in lines} == names
    assert {died.read_text(), str(os.getpid())}.isdisjoint(
        pid for pid, name in lines if name.startswith("00000001-")
    )
    bulk = nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    one = nfl.Gallery.build(images, model, tmp_path / "one", crops=1)
    assert len(bulk) == len(one) == 12
    for path in (tmp_path / "one").iterdir():
        other = tmp_path / "bulk" / path.name
        if path.suffix == ".npy":  # The workers have one thread each, this process has more.
            np.testing.assert_allclose(np.load(path), np.load(other), atol=1e-6)
        else:
            assert path.read_bytes() == other.read_bytes()


def test_the_rows_of_all_tables_come_back_and_errors_too():
    class Doubling:
        def __call__(self, block):
            if block["number"][0].as_py() == 3:
                raise ZeroDivisionError("in the worker")
            return pa.table({"doubled": [2 * block["number"][0].as_py()]})

    tables = [pa.table({"number": [number]}) for number in range(4)]
    rows = list(on_ray(Doubling, (), tables[:3], 2, 1, 0, "local"))
    assert sorted(row["doubled"] for row in rows) == [0, 2, 4]
    with pytest.raises(ray.exceptions.RayTaskError, match="ZeroDivisionError: in the worker"):
        list(on_ray(Doubling, (), tables[3:], 1, 1, 0, "local"))


def test_more_workers_than_there_is_room_for_are_refused():
    with pytest.raises(UserError, match="Ray has 2 CPUs, enough for 2 workers of 1; lower"):
        list(on_ray(dict, (), [pa.table({"number": [1]})], 3, 1, 0, "local"))
