"""Compares two workers of Ray with one process of `nfl-keras index`, and kills a worker.

    python benchmarks/bulk.py speed --images cars196_part/cars_train --model PRESET
    python benchmarks/bulk.py kill --images cars196_part/cars_train --model PRESET

"speed" embeds the first `--count` photographs of a folder (one crop each): by `nfl-keras embed`
with two workers of one thread each, and by `nfl-keras index` in one process that is bound to two
processors. The sides alternate. Photographs per second by the clock, and core-seconds per
photograph of all processes of a side, begin when each worker has kept its first part, and are thus
without starts. Other programs on the machine change the first much and the second little. "kill"
ends a worker by SIGKILL when a third of the shards are there, and compares the gallery with that of
one process, byte by byte.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

CHUNK, SHARD, WORKERS = 256, 128, 2


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "kill"))
    parser.add_argument("--images", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "images").mkdir()
        for path in sorted(pathlib.Path(given.images).iterdir())[: given.count]:
            shutil.copy2(path, folder / "images" / path.name)
        {"speed": _speed, "kill": _kill}[given.what](folder, given)


def _speed(folder, given):
    ratios = []
    for run in range(given.runs):
        out, gallery = folder / f"shards-{run}", folder / f"gallery-{run}"
        ray = _watched(_embed(folder, given, out.name), out, WORKERS, SHARD)
        one = _watched(_index(folder, given, gallery.name), gallery / "unfinished", 1, CHUNK)
        ratios.append([ray[key] / one[key] for key in ray])
        print(json.dumps({"ray": ray, "one process": one}), flush=True)
    rate, cores = (statistics.median(values) for values in zip(*ratios, strict=True))
    print(f"median ratios of {given.runs}: photographs/s {rate:.2f}, core-seconds {cores:.2f}")


def _kill(folder, given):
    shards = -(-given.count // SHARD)
    for kill in (False, True):
        out = folder / f"shards-{kill}"
        start, process = time.perf_counter(), _embed(folder, given, out.name)
        while kill and len(_shards(out)) < shards // 3:
            time.sleep(0.02)
        if kill:
            killed = _workers(process)[0]
            os.kill(killed, signal.SIGKILL)
            print(f"killed {killed} with {len(_shards(out))} of {shards} shards there")
        output, _ = process.communicate()
        print(f"{output.strip()}: {time.perf_counter() - start:.1f} s", flush=True)
        command = ["index", "--from-embeddings", str(out), "--gallery", str(folder / f"of-{kill}")]
        _run(command).communicate()
    _index(folder, given, "one").communicate()
    for path in sorted((folder / "one").iterdir()):
        same = [path.read_bytes() == (folder / f"of-{k}" / path.name).read_bytes() for k in (0, 1)]
        print(path.name, "same bytes" if all(same) else same)
        assert all(same)


def _watched(process, folder, workers, size):
    """Waits for a process, and takes the times at which parts appear in a folder."""
    parts = []
    while process.poll() is None:
        there = len(_shards(folder))
        if there > len(parts):
            parts += [(time.perf_counter(), _core_seconds(process.pid))] * (there - len(parts))
        time.sleep(0.02)
    count = size * (len(parts) - workers)
    seconds, cores = (
        last - first for first, last in zip(parts[workers - 1], parts[-1], strict=True)
    )
    return {"photographs/s": round(count / seconds, 2), "core-seconds": round(cores / count, 5)}


def _core_seconds(pid):
    """Returns the processor time of a process and all below it, up to now."""
    parents, times = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # It has ended.
            continue
        parents[path.parent.name] = fields[1]
        times[path.parent.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    below = {str(pid)}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(times.get(child, 0) for child in below)


def _shards(folder):
    return list(folder.glob("[0-9]*.parquet"))


def _embed(folder, given, name):
    flags = [
        "--model",
        given.model,
        "--crops",
        "1",
        "--shard-size",
        str(SHARD),
        "--actors",
        f"{WORKERS}",
    ]
    return _run(["embed", str(folder / "images"), *flags, "--out", str(folder / name)])


def _index(folder, given, name):
    flags = ["--model", given.model, "--crops", "1", "--gallery", str(folder / name)]
    return _run(["index", str(folder / "images"), *flags])


def _run(arguments):
    command = ["taskset", "-c", "0,1", sys.executable, "-m", "nfl_keras", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _workers(process):
    """Returns the ids of the processes that embed for a process: its raylet started them."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            is_worker = b"MapWorker(MapBatches(ShardWriter))" in (path / "cmdline").read_bytes()
            if is_worker and _parent(_parent(path.name)) == str(process.pid):
                found.append(int(path.name))
        except OSError:  # It has ended.
            continue
    return sorted(found)


def _parent(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("RAY_worker_niceness", "0")  # That of the other side; Ray's own is 15.
    main()
