"""Shards are written once each, whatever stops the call, and become the gallery of an index."""

import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nfl_keras as nfl
from nfl_keras.__main__ import main as command
from nfl_keras.bulk import embed_to_shards
from nfl_keras.bulk.photograph_files import PhotographFiles, find_files
from nfl_keras.errors import UserError
from nfl_keras.gallery import build as indexing
from nfl_keras.gallery.shards.shard_folder import ShardFolder


@pytest.fixture(autouse=True)
def same_batches(monkeypatch):
    monkeypatch.setattr(indexing, "CHUNK", 4)


def embed(images, model, folder, **given):
    return embed_to_shards(images, model, folder, crops=1, shard_size=4, **given)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_the_gallery_of_a_table_has_the_bytes_of_an_index(images, model, tmp_path, without_ray):
    names = sorted(str(path.relative_to(images)) for path in images.rglob("*.*"))
    table = pa.table(
        {
            "path": names[::-1],
            "year": [None, *range(1990, 1990 + len(names) - 1)],
            "seen": pa.array(range(len(names)), pa.timestamp("us", "Europe/Berlin")),
            "tag": pa.array([*"abcabcabcabca"]).dictionary_encode(),
        }
    ).replace_schema_metadata({"from": "a catalog"})
    pq.write_table(table, images / "catalog.parquet")
    done = embed(images / "catalog.parquet", model, tmp_path / "shards")
    assert str(done) == ("13 photographs in 4 shards: 13 embedded now, 1 of them cannot be used")
    of_shards = nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk", "float16")
    one = nfl.Gallery.build(
        images / "catalog.parquet", model, tmp_path / "one", crops=1, dtype="float16"
    )
    assert contents(tmp_path / "bulk") == contents(tmp_path / "one")
    assert of_shards.changes == one.changes
    assert of_shards.left_out == {"class 1/bad.jpg": "not an image"}
    found = of_shards.search(images / "class 0/00.png", k=1)
    assert found[0][0].id == "class 0/00.png"


def test_a_call_that_was_stopped_goes_on_and_embeds_no_shard_twice(
    images, model, tmp_path, without_ray, monkeypatch
):
    without_ray.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        embed(images, model, tmp_path / "shards")
    with pytest.raises(UserError, match="holds no shard yet"):
        nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    assert embed(images, model, tmp_path / "shards").embedded == 13
    whole = contents(tmp_path / "shards")
    first = without_ray.copy()
    assert sorted(first) == [name for name in whole if name != "manifest.json"]
    for name in (first[1], first[3]):
        (tmp_path / "shards" / name).unlink()
    with pytest.raises(UserError, match="holds 8 of 13 photographs; run nfl-keras embed again"):
        nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    assert embed(images, model, tmp_path / "shards").embedded == 5
    assert without_ray[4:] == [first[1], first[3]]
    assert contents(tmp_path / "shards") == whole
    assert embed(images, model, tmp_path / "shards").embedded == 0
    # A worker that died after it had written: its shards are sent to another.
    written = [path.stat() for path in (tmp_path / "shards").glob("*.parquet")]
    with monkeypatch.context() as patch:
        patch.setattr(ShardFolder, "files", lambda self: [])
        embed(images, model, tmp_path / "shards")
    assert len(without_ray) == 10
    assert [path.stat() for path in (tmp_path / "shards").glob("*.parquet")] == written


def test_photographs_that_change_change_their_shards_and_the_gallery(
    images, model, tmp_path, without_ray
):
    embed(images, model, tmp_path / "shards")
    nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    nfl.Gallery.build(images, model, tmp_path / "one", crops=1)
    (images / "class 2/11.png").unlink()
    shutil.copy(images / "class 0/00.png", images / "class 2/08.png")
    os.utime(images / "class 2/05.png", ns=(1, 1))
    assert embed(images, model, tmp_path / "shards").embedded == 4
    bulk = nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    one = nfl.Gallery.build(images, model, tmp_path / "one", crops=1)
    assert bulk.changes == one.changes == indexing.Changes(11, 0, 2, 1, 1)
    assert contents(tmp_path / "bulk") == contents(tmp_path / "one")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(images / "class 0", elsewhere)
    with pytest.raises(UserError, match="holds shards of other photographs"):
        embed(elsewhere, model, tmp_path / "shards")


def test_another_model_is_refused_by_embed_and_by_index(images, model, tmp_path, without_ray):
    embed(images, model, tmp_path / "shards")
    other = str(tmp_path / "other.keras")
    nfl.models.Embedder("tiny", embedding_dim=16, image_size=32).save(other)
    with pytest.raises(UserError, match="embeds the same pictures otherwise"):
        embed(images, other, tmp_path / "shards")
    embed(images, other, tmp_path / "others")
    name = without_ray[-1]
    shutil.copy(tmp_path / "others" / name, tmp_path / "shards" / name)
    with pytest.raises(UserError, match=r"was embedded by .*other.keras.* embeds the same|other"):
        nfl.Gallery.from_embeddings(tmp_path / "shards", tmp_path / "bulk")
    assert not (tmp_path / "bulk/manifest.json").exists()


def test_damaged_and_contradicting_shards_are_refused(images, model, tmp_path, without_ray):
    folder = tmp_path / "shards"
    embed(images, model, folder)
    path = folder / without_ray[2]
    good = path.read_bytes()
    vectors = pq.read_table(path)["vector"].combine_chunks().flatten().to_numpy()
    assert good.count(vectors[:16].tobytes()[:8]) <= 1  # Compressed, or plain once.
    start = pq.ParquetFile(path).metadata.row_group(0)
    column = start.column(start.num_columns - 1)
    middle = column.dictionary_page_offset or column.data_page_offset
    middle += column.total_compressed_size // 2
    flipped = good[:middle] + bytes([good[middle] ^ 64]) + good[middle + 1 :]
    for damaged in (good[: len(good) // 2], b"", flipped, good[:-20] + good[-19:] + b"x"):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=rf"the shard '.*{path.name}' is damaged"):
            nfl.Gallery.from_embeddings(folder, tmp_path / "bulk")
    assert not (tmp_path / "bulk/manifest.json").exists()
    path.write_bytes(good)
    again = folder / f"00000099-{'0' * 16}.parquet"
    again.write_bytes(good)
    assert len(nfl.Gallery.from_embeddings(folder, tmp_path / "bulk")) == 12
    table = pq.read_table(path)
    turned = np.roll(vectors.reshape(-1, 16), 1, axis=1).ravel()
    column = pa.FixedSizeListArray.from_arrays(pa.array(turned), 16)
    pq.write_table(table.set_column(table.num_columns - 1, "vector", column), again)
    with pytest.raises(UserError, match=r"stands in 00000002-.* and otherwise in 00000099-"):
        nfl.Gallery.from_embeddings(folder, tmp_path / "bulk")
    again.unlink()
    twice = pa.FixedSizeListArray.from_arrays(pa.array(vectors * 2), 16)
    pq.write_table(table.set_column(table.num_columns - 1, "vector", twice), path)
    with pytest.raises(UserError, match="a vector whose norm is not 1"):
        nfl.Gallery.from_embeddings(folder, tmp_path / "anew")
    pq.write_table(table.drop_columns(["reason"]), path)
    with pytest.raises(UserError, match="has other columns than nfl-keras embed writes"):
        nfl.Gallery.from_embeddings(folder, tmp_path / "anew")


def test_the_commands(images, model, tmp_path, without_ray, capsys):
    shards, gallery = str(tmp_path / "shards"), str(tmp_path / "gallery")
    command(["embed", str(images), "--model", model, "--out", shards, "--crops", "1"])
    assert f"{shards}: 13 photographs in 1 shards: 13 embedded now" in capsys.readouterr().out
    command(["index", "--from-embeddings", shards, "--gallery", gallery])
    assert f"{gallery}: 12 photographs" in capsys.readouterr().out
    for wrong in ([], ["photographs", "--model", "tiny", "--from-embeddings", shards]):
        with pytest.raises(SystemExit) as stopped:
            command(["index", *wrong, "--gallery", gallery])
        assert stopped.value.code == 2
        assert "--from-embeddings" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(["index", "--from-embeddings", gallery + "x", "--gallery", gallery])
    assert "holds no embedded photographs" in capsys.readouterr().err


def test_a_dataset_is_opened_by_its_name_on_every_worker(images):
    photographs, files = find_files("blooms")
    ids = photographs.items["id"].to_pylist()
    read = files.opened()(ids[100:103])
    assert read(2) == photographs.read(102)
    with pytest.raises(UserError, match="there is no dataset, folder or table 'gone'"):
        find_files("gone")
    with pytest.raises(UserError, match="mount it at the same path on every machine"):
        PhotographFiles(str(images / "gone")).opened()


def test_a_shard_that_kills_its_workers_is_given_up(
    images, model, tmp_path, without_ray, monkeypatch
):
    folder, begin = tmp_path / "shards", ShardFolder.begin
    embed(images, model, folder)
    (folder / without_ray[1]).unlink()

    def and_die(deaths):
        def begin_and_die(self, *given):
            manifest = begin(self, *given)
            (folder / f"{without_ray[1]}.tried").write_bytes(b"." * deaths)
            return manifest

        monkeypatch.setattr(ShardFolder, "begin", begin_and_die)

    and_die(5)
    with pytest.raises(
        UserError, match=r"5 workers died of the photographs from 'class 1/01\.png'"
    ):
        embed(images, model, folder)
    and_die(4)
    assert embed(images, model, folder).embedded == 4
    assert not list(folder.glob("*.tried"))


def test_a_table_may_not_fill_the_columns_of_shards(images, model, tmp_path):
    (images / "catalog.csv").write_text("path,vector\nclass 0/00.png,1\n")
    with pytest.raises(UserError, match="the column 'vector', which shards fill; rename it"):
        embed(images / "catalog.csv", model, tmp_path / "shards")
