"""Tries `nfl-keras index`: its speed, kills at random moments, and readers beside a writer.

    python benchmarks/index.py speed --images flowers17 --model PRESET
    python benchmarks/index.py kill --images flowers17 --model PRESET
    python benchmarks/index.py readers --minutes 5

"speed" embeds the photographs of a folder, three crops each, by `Gallery.build` and by the model
alone, which gets random pixels of the same shape; the sides alternate, in one process. "kill" ends
an index of the folder by SIGKILL at ten random moments, opens the gallery each time, and compares
the finished one with one that was not disturbed, byte by byte. It begins with a gallery of a tenth
of the photographs. "readers" lets two processes open and search a gallery all the time while a
third replaces it: each state must be whole.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "kill", "readers"))
    parser.add_argument("--images")
    parser.add_argument("--model")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        {"speed": _speed, "kill": _kill, "readers": _readers}[given.what](pathlib.Path(name), given)


def _speed(folder, given):
    import numpy as np

    import nfl_keras as nfl
    from nfl_keras.retrieval.predict_crops import predict_function

    model = nfl.load(given.model)
    size = model.image_size
    pixels = np.random.default_rng(0).uniform(0, 255, (192, size, size, 3)).astype(np.float32)
    predict = predict_function(model)
    predict(pixels)
    shares = []
    for run in range(given.runs):
        start = time.perf_counter()
        gallery = nfl.Gallery.build(given.images, model, folder / str(run))
        ours = len(gallery) / (time.perf_counter() - start)
        batches = -(-len(gallery) // 64)
        start = time.perf_counter()
        for _ in range(batches):
            predict(pixels)
        alone = 64 * batches / (time.perf_counter() - start)
        shares.append(ours / alone)
        print(f"index {ours:.1f} images/s, model alone {alone:.1f}, share {ours / alone:.2f}")
    print(f"median share of {given.runs}: {statistics.median(shares):.2f}")


def _kill(folder, given):
    import nfl_keras as nfl

    names = sorted(p for p in pathlib.Path(given.images).rglob("*") if p.is_file())
    images = folder / "images"
    images.mkdir()
    for path in names[::10]:
        shutil.copy2(path, images / path.name)
    disturbed, undisturbed = folder / "disturbed", folder / "undisturbed"
    _index(images, given.model, disturbed).wait()
    _index(images, given.model, undisturbed).wait()
    for path in names:
        shutil.copy2(path, images / path.name)
    start = time.perf_counter()
    _index(images, given.model, undisturbed).wait()
    seconds = time.perf_counter() - start
    moments = random.Random(0)
    for _ in range(given.kills):
        process = _index(images, given.model, disturbed)
        after = moments.uniform(0.2, 1) * seconds / 2
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = len(list((disturbed / "unfinished").glob("*.parquet")))
        print(f"killed after {after:.1f} s; {nfl.Gallery.open(disturbed)}; {kept} chunks kept")
    _index(images, given.model, disturbed).wait()
    alike = [
        (path.name, path.read_bytes() == (undisturbed / path.name).read_bytes())
        for path in sorted(disturbed.iterdir())
        if path.is_file()
    ]
    print(json.dumps(alike))
    assert all(same for _, same in alike)
    assert len(nfl.Gallery.open(disturbed)) == len(names)


def _index(images, model, gallery):
    command = [sys.executable, "-m", "nfl_keras", "index", str(images), "--model", model]
    return subprocess.Popen([*command, "--gallery", str(gallery)], stderr=subprocess.DEVNULL)


def _readers(folder, given):
    end = time.time() + 60 * given.minutes
    _commit(folder, 1)
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        read = [pool.apply_async(_read, (folder, end)) for _ in range(2)]
        commits = pool.apply_async(_write, (folder, end)).get()
        counts = [result.get() for result in read]
    print(f"{commits:,} commits; readers opened and searched {counts} states, each whole")


def _commit(folder, number):
    import numpy as np
    import pyarrow as pa

    from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
    from nfl_keras.gallery.storage.manifest import Manifest

    count = 1000 + number % 500
    vectors = np.zeros((count, 64), np.float32)
    vectors[:, number % 64] = 1
    ids = pa.array([f"{number}-{row:06d}" for row in range(count)], pa.string())
    none = {name: pa.nulls(count, pa.int64()) for name in ("bytes", "modified")}
    none |= {"sha256": pa.nulls(count, pa.binary(32)), "label": pa.nulls(count, pa.string())}
    items = pa.table({"id": ids, **none})
    gallery = GalleryFolder(folder / "gallery")
    with gallery.locked():
        fingerprint = [vectors[0].tolist()]
        gallery.commit(
            Manifest("none", fingerprint, 3, "float32", None), items, items.slice(0, 0), vectors
        )


def _write(folder, end):
    number = 1
    while time.time() < end:
        number += 1
        _commit(folder, number)
    return number


def _read(folder, end):
    import numpy as np

    from nfl_keras.gallery import Gallery

    states = 0
    while time.time() < end:
        gallery = Gallery.open(folder / "gallery")
        number = int(gallery.items["id"][0].as_py().partition("-")[0])
        assert len(gallery) == 1000 + number % 500
        query = np.zeros((1, 64), np.float32)
        query[0, number % 64] = 1
        matches = gallery.search(query, k=len(gallery))
        assert [match.id for match in matches[0]] == gallery.items["id"].to_pylist()
        assert (matches.similarities == 1).all()
        states += 1
    return states


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
