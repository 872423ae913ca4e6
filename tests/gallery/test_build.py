"""A gallery is made, resumed and brought up to date, without embedding anything twice."""

import os
import pathlib
import shutil

import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras.errors import UserError
from nfl_keras.gallery import build as module
from nfl_keras.gallery import probe
from nfl_keras.gallery.gallery import Gallery
from nfl_keras.gallery.photograph_model import PhotographModel
from nfl_keras.gallery.storage.open_store import open_store


@pytest.fixture
def embedded(monkeypatch):
    """The ids of the photographs that models have embedded, in order."""
    ids = []
    embed = PhotographModel.embed

    def noted(self, image_set, progress=None):
        if not image_set.ids[0].startswith("picture"):
            ids.extend(image_set.ids.tolist())
        return embed(self, image_set, progress)

    monkeypatch.setattr(PhotographModel, "embed", noted)
    return ids


def contents(where):
    """Returns all that a gallery holds."""
    if isinstance(where, pathlib.Path):
        return {path.name: path.read_bytes() for path in sorted(where.iterdir()) if path.is_file()}
    kept = open_store(where).read()
    return (
        kept.manifest,
        kept.items.to_pylist(),
        kept.left_out.to_pylist(),
        kept.vectors[:].tolist(),
    )


def test_vectors_labels_and_ids_of_a_folder(images, model, place, expected):
    gallery = Gallery.build(images, model, place("gallery"), crops=1)
    ids = gallery.items["id"].to_pylist()
    assert ids == sorted(ids)
    labels = dict(zip(ids, gallery.items["label"].to_pylist(), strict=True))
    assert labels == {
        "blue/deep/1.png": "deep",
        "green/1.png": "green",
        "green/2.png": "green",
        "loose.png": None,
        "red/1.png": "red",
        "red/2.png": "red",
        "red/3.png": "red",
    }
    # The center crop of a photograph of one color has nearly the mean color of the whole.
    np.testing.assert_allclose(gallery.vectors(ids), expected(ids), atol=2e-2)
    assert repr(gallery) == "Gallery(7 photographs, 3 labels, 3 dimensions)"
    assert gallery.left_out == {}


def test_only_what_is_new_or_changed_is_embedded(images, model, place, png, embedded):
    folder = place("gallery")
    assert Gallery.build(images, model, folder).changes == module.Changes(7, 7, 0, 0, 0)
    embedded.clear()
    before = contents(folder)
    assert Gallery.build(images, model, folder).changes == module.Changes(7, 0, 0, 0, 0)
    assert (embedded, contents(folder)) == ([], before)

    (images / "red/1.png").rename(images / "green/moved.png")
    shutil.copy(images / "red/2.png", images / "copy.png")
    os.utime(images / "red/3.png", ns=(1, 1))
    (images / "green/1.png").unlink()
    (images / "green/2.png").write_bytes(png((0, 200, 90)))
    (images / "new.png").write_bytes(png((90, 0, 200)))
    gallery = Gallery.build(images, model, folder)
    assert embedded == ["green/2.png", "new.png"]
    # Moved, copied and touched ones are known; gone are two names.
    assert gallery.changes == module.Changes(8, 2, 3, 2, 0)
    anew = Gallery.build(images, model, place("anew"))
    assert gallery.items.equals(anew.items)
    ids = anew.items["id"].to_pylist()
    np.testing.assert_allclose(gallery.vectors(ids), anew.vectors(ids), atol=1e-6)


def test_a_stopped_index_goes_on_and_ends_as_one_that_was_not(
    images, model, place, embedded, monkeypatch
):
    monkeypatch.setattr(module, "CHUNK", 2)
    (images / "bad.png").write_bytes(b"no picture")
    undisturbed = place("undisturbed")
    Gallery.build(images, model, undisturbed, batch_size=2)
    ids = embedded.copy()
    for stop in range(1, 5):
        folder = place(f"stopped_{stop}")
        embedded.clear()
        append = module.Unfinished.append
        calls = []

        def stopping(self, items, vectors, append=append, calls=calls, stop=stop):
            calls.append(items)
            if len(calls) == stop:
                # As a kill would leave it: vectors without the items of their chunk.
                with open(self._path if self._count else os.devnull, "ab") as file:
                    file.write(b"torn")
                raise KeyboardInterrupt
            append(self, items, vectors)

        with monkeypatch.context() as patch:
            patch.setattr(module.Unfinished, "append", stopping)
            with pytest.raises(KeyboardInterrupt):
                Gallery.build(images, model, folder, batch_size=2)
        with pytest.raises(UserError, match="is not a gallery"):
            Gallery.open(folder)
        lost = embedded[2 * (stop - 1) :]
        Gallery.build(images, model, folder, batch_size=2)
        assert embedded == ids[: 2 * stop] + lost + ids[2 * stop :]
        assert contents(folder) == contents(undisturbed)
        with open_store(folder).locked() as store:
            assert not len(store.unfinished(store.manifest()).items())


def test_bad_photographs_are_left_out_with_the_reason_and_not_tried_again(
    images, model, place, embedded
):
    (images / "red/bad.png").write_bytes(b"no picture")
    (images / "red/empty.jpg").touch()
    cut = (images / "red/1.png").read_bytes()
    (images / "red/cut.png").write_bytes(cut[: len(cut) // 2])
    gallery = Gallery.build(images, model, place("gallery"))
    reasons = {
        "red/bad.png": "not an image",
        "red/cut.png": "truncated or damaged",
        "red/empty.jpg": "zero bytes",
    }
    assert gallery.left_out == reasons
    assert len(gallery) == 7
    embedded.clear()
    assert Gallery.build(images, model, place("gallery")).left_out == reasons
    assert embedded == []
    (images / "red/bad.png").write_bytes((images / "red/1.png").read_bytes())
    mended = Gallery.build(images, model, place("gallery"))
    assert list(mended.left_out) == ["red/cut.png", "red/empty.jpg"]
    assert len(mended) == 8


def test_without_one_good_photograph_nothing_is_written(tmp_path, place, model):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").touch()
    with pytest.raises(UserError, match=r"none of 1 photographs can be used; the first, 'a.jpg'"):
        Gallery.build(tmp_path / "images", model, place("gallery"))
    assert not open_store(place("gallery")).exists


def test_another_model_or_other_crops_are_refused(images, model, place):
    folder = place("gallery")
    Gallery.build(images, model, folder, crops=3)
    other = nfl.models.Embedder("tiny", embedding_dim=3, image_size=8)
    with pytest.raises(UserError, match=r"embeds the same pictures otherwise \(cosine"):
        Gallery.build(images, other, folder)
    wider = nfl.models.Embedder("tiny", embedding_dim=4, image_size=8)
    with pytest.raises(UserError, match="embeds in 4 dimensions, not 3"):
        Gallery.open(folder, wider)
    with pytest.raises(UserError, match=r"with 3 crops, and .* with 1 embeds"):
        Gallery.build(images, model, folder, crops=1)
    assert Gallery.build(images, model, folder).changes.embedded == 0
    with pytest.raises(UserError, match="keeps vectors in float32, not float16"):
        Gallery.build(images, model, folder, dtype="float16")


def test_an_unfinished_gallery_is_of_one_model_too(images, model, place, monkeypatch):
    def stopping(self, items, vectors):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.Unfinished, "append", stopping)
        with pytest.raises(KeyboardInterrupt):
            Gallery.build(images, model, place("gallery"))
    other = nfl.models.Embedder("tiny", embedding_dim=3, image_size=8)
    with pytest.raises(UserError, match="embeds the same pictures otherwise"):
        Gallery.build(images, other, place("gallery"))


def test_a_second_writer_is_refused(images, model, place):
    store = open_store(place("gallery"))
    with store.locked(), pytest.raises(UserError, match="another process writes to the gallery"):
        Gallery.build(images, model, place("gallery"))


def test_an_image_set_and_float16(model, place, embedded):
    blooms = nfl.data.load("blooms", split="query").subset(range(0, 960, 160))
    gallery = Gallery.build(blooms, model, place("gallery"), dtype="float16")
    assert gallery.items["id"].to_pylist() == sorted(blooms.ids.tolist())
    names = dict(zip(blooms.ids, np.array(blooms.class_names)[blooms.labels], strict=True))
    assert gallery.items["label"].to_pylist() == [names[i] for i in gallery.items["id"].to_pylist()]
    full = Gallery.build(blooms, model, place("float32"))
    ids = blooms.ids.tolist()
    assert gallery.vectors(ids).dtype == np.float32
    np.testing.assert_allclose(gallery.vectors(ids), full.vectors(ids), atol=1e-3)
    embedded.clear()
    Gallery.build(blooms, model, place("gallery"))
    assert embedded == []  # Known by their content, since an image set has no times.


def test_the_fingerprint_of_an_export_is_that_of_its_model(tmp_path):
    embedder = nfl.models.Embedder("tiny", embedding_dim=8, image_size=16)
    nfl.export_model(embedder, tmp_path / "models")
    exported = nfl.load(tmp_path / "models" / "embedder")
    expected = probe.fingerprint(PhotographModel(embedder, "run", 3))
    np.testing.assert_allclose(
        probe.fingerprint(PhotographModel(exported, "export", 3)), expected, atol=1e-5
    )
    with nfl.serving.Server(tmp_path / "models", port=0) as server:
        client = nfl.serving.Client(f"localhost:{server.port}")
        with client:
            served = probe.fingerprint(PhotographModel(client, "server", 3))
    np.testing.assert_allclose(served, expected, atol=1e-5)
    one_crop = probe.fingerprint(PhotographModel(embedder, "run", 1))
    assert (one_crop * expected).sum(axis=1).min() < 1 - 1e-3
