import os
import signal
import threading

import pytest

from nfl_keras.training.termination import Termination

LINE = "stopped; resume with: python -m nfl_keras.train --resume runs/some\n"


def tell_to_end():
    os.kill(os.getpid(), signal.SIGTERM)


def run_that(work):
    """Runs `work(termination, done)` as a run, and gives the list `done` and how it ended."""
    done = []
    with pytest.raises((SystemExit, ZeroDivisionError)) as ended:
        within_a_run(work, done)
    return done, ended.value


def within_a_run(work, done):
    with Termination("runs/some") as termination:
        work(termination, done)


def test_sigterm_ends_the_run_with_code_0_and_says_how_to_resume(capsys):
    def work(termination, done):
        done.append("before")
        tell_to_end()
        done.append("after")

    done, ended = run_that(work)
    assert done == ["before"]
    assert ended.code == 0
    assert capsys.readouterr().out == LINE


def test_postponed_it_waits_for_the_code_to_exit(capsys):
    def work(termination, done):
        with termination.postponed():
            for step in range(4):
                if step == 1:
                    tell_to_end()
                done.append(step)
                if termination.requested:
                    termination.exit()

    done, ended = run_that(work)
    assert done == [0, 1]
    assert ended.code == 0
    assert capsys.readouterr().out == LINE


def test_at_the_end_of_postponed_the_run_ends(capsys):
    def work(termination, done):
        with termination.postponed():
            tell_to_end()
            done.append("postponed")
        done.append("after")

    done, ended = run_that(work)
    assert done == ["postponed"]
    assert ended.code == 0
    assert capsys.readouterr().out == LINE


def test_an_error_within_postponed_is_not_hidden(capsys):
    def work(termination, done):
        with termination.postponed():
            tell_to_end()
            done.append(1 / 0)

    _, ended = run_that(work)
    assert isinstance(ended, ZeroDivisionError)
    assert capsys.readouterr().out == ""


def test_afterwards_the_signal_is_what_it_was():
    before = signal.getsignal(signal.SIGTERM)
    termination = Termination("runs/some")
    for _ in range(2):
        with termination:
            assert signal.getsignal(signal.SIGTERM) != before
        assert signal.getsignal(signal.SIGTERM) == before


def test_another_exit_says_nothing(capsys):
    with pytest.raises(SystemExit), Termination("runs/some"):
        raise SystemExit(3)
    assert capsys.readouterr().out == ""


def test_in_another_thread_nothing_changes():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with Termination("runs/some") as termination, termination.postponed():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
