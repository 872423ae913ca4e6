"""Processes of Python at the same time: workers of a cluster, and others."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest

MOST_SECONDS = 1800


@pytest.fixture(scope="session")
def run_clusters(tmp_path_factory):
    """Function that runs clusters of Python processes, all at the same time.

    Args of the function: clusters, each a list with the arguments of every process: several are
    the workers of one strategy, a single one stands by itself; check, whether all must exit with 0.
    Returns of it: for each cluster a list of `(code, output, errors)`.
    """

    def run(*clusters, check=True):
        folder = tmp_path_factory.mktemp("processes")
        addresses = iter(_free_addresses(sum(map(len, clusters))))
        with contextlib.ExitStack() as stack:
            processes = []
            for workers in clusters:
                cluster = {"worker": [next(addresses) for _ in workers]}
                for index, arguments in enumerate(workers):
                    task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
                    path = folder / str(len(processes))
                    process = _start(arguments, task if len(workers) > 1 else None, path)
                    processes.append((stack.enter_context(process), path))
                    stack.callback(process.kill)
            deadline = time.monotonic() + MOST_SECONDS
            ends = [_end(process, path, deadline) for process, path in processes]
        for code, output, errors in ends:
            assert code == 0 or not check, (output + errors)[-3000:]
        ends = iter(ends)
        return [[next(ends) for _ in workers] for workers in clusters]

    return run


def _start(arguments, task, path):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    # TensorFlow writes errors at this level.
    environment |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if task:
        environment["TF_CONFIG"] = json.dumps(task)
    with (
        open(path.with_suffix(".out"), "w") as output,
        open(path.with_suffix(".err"), "w") as errors,
    ):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stdout=output, stderr=errors)


def _end(process, path, deadline):
    code = process.wait(max(deadline - time.monotonic(), 1))
    return code, path.with_suffix(".out").read_text(), path.with_suffix(".err").read_text()


def _free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
