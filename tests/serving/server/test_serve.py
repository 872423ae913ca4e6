"""`python -m nfl_keras.serve`, as a process that is stopped, killed and left alone."""

import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from nfl_keras.serve import main

CONNECTIONS = 8


@pytest.fixture
def serve():
    """Function from a folder and flags to the process and its gRPC port; killed at the end."""
    processes = []

    def start(folder, *flags):
        command = [sys.executable, "-m", "nfl_keras.serve", str(folder), "--port", "0", *flags]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        line = process.stdout.readline()
        found = re.fullmatch(r"serving \S+ version (\d+) at 127\.0\.0\.1:(\d+) .*\n", line)
        assert found, process.stderr.read() if process.poll() else line
        return process, int(found[2])

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def base(tmp_path, install):
    folder = tmp_path / "tiny"
    folder.mkdir()
    install(folder, 1)
    return folder


def test_kill_9_leaves_the_last_good_version_and_sigterm_lets_requests_end(
    serve, base, install, corrupt, connect, predict_request
):
    request = predict_request(images=[b"\xff"])
    flags = ["--no-rest", "--poll-seconds", "0.1"]
    process, port = serve(base, *flags)
    install(base, 2)
    install(base, 3, damage=corrupt)
    stubs = connect(port)
    end = time.monotonic() + 60
    while stubs.Predict(request, timeout=60).model_spec.version.value != 2:
        assert time.monotonic() < end
    process.kill()
    assert process.wait(60) == -signal.SIGKILL

    process, port = serve(base, *flags, "--batch-timeout-micros", "1500000")
    stubs = connect(port)
    two = predict_request(images=[b"\xff"] * 2)
    assert stubs.Predict(two, timeout=60).model_spec.version.value == 2
    # It waits for the other of the two that may be expected.
    waiting = stubs.Predict.future(request, timeout=60)
    time.sleep(0.5)
    assert not waiting.done()
    process.stdout.close()  # as `nfl-keras serve models | head -1` does
    process.send_signal(signal.SIGTERM)
    assert waiting.result().outputs["status"].int_val == [0]
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "BrokenPipe" not in log
    assert len([line for line in log.splitlines() if "version 3 is refused" in line]) == 1


def _resident(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="reads /proc")
def test_requests_and_clients_that_vanish_leave_nothing_behind(
    serve, base, connect, predict_request, pixels
):
    process, port = serve(base, "--no-rest")
    good = predict_request(images=[bytes(200_000)])
    bad = predict_request("embed_tensor", pixels=pixels(2e6))

    def ask(count):
        stubs = connect(port)
        for number in range(count):
            if number % 10 == 0:
                stubs.Predict.future(good, timeout=60).cancel()
            elif number % 10 == 1:
                stubs.code_if_any(bad)
            else:
                stubs.Predict(good, timeout=60)
        stubs.channel.close()

    def ask_all(count):
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(ask, [count // CONNECTIONS] * CONNECTIONS))
        return _resident(process)

    after_some = ask_all(152)
    after_many = ask_all(608)
    assert after_many < 1.1 * after_some


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "no model version in"),
        (["--max-batch-size", "0"], "max_batch_size must not be 0"),
        (["--max-message-bytes", "0"], "max_message_bytes must be above 0"),
        (["--poll-seconds", "0"], "poll_seconds must be above 0"),
        (["--tls-key", "a"], "go together"),
        (["--tls-client-ca", "a"], "needs --tls-certificate"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(flags, words, tmp_path, capsys):
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--port", "0", *flags])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (
            "import nfl_keras.serve as s\ntry: s.main(['--help'])\nexcept SystemExit: pass",
            "tensorflow",
        ),
        ("from nfl_keras.serving import Client", "nfl_keras.serving.server"),
    ],
)
def test_only_what_is_used_is_imported(code, unwanted):
    finished = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print({unwanted!r} in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.splitlines()[-1] == "False"
