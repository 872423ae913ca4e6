"""`nfl-keras search --web`, as a user calls it."""

import pathlib
import re

import pytest

from nfl_keras.__main__ import main as command
from nfl_keras.web import PageServer
from nfl_keras.web.password import VARIABLE


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def failure(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command(arguments)
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_command_says_where_the_page_is(folder, monkeypatch, capsys):
    monkeypatch.setattr(PageServer, "run", lambda _: None)
    command(["search", "--web", "--gallery", str(folder), "--port", "0"])
    printed = capsys.readouterr().out
    assert re.fullmatch(r"search at http://127\.0\.0\.1:\d+/", printed.splitlines()[-1])


def test_other_machines_are_answered_with_a_password_alone(tmp_path, capsys):
    asked = ["search", "--web", "--gallery", str(tmp_path), "--host", "0.0.0.0"]
    assert "error: other machines reach 0.0.0.0, so the page" in failure(asked, capsys)
    secret = pathlib.Path(tmp_path, "secret")
    secret.write_text("short")
    found = failure([*asked, "--password-file", str(secret)], capsys)
    assert found == "error: the password has 5 characters; take 8 or more."
    secret.write_text("long enough")
    assert "gallery" in failure([*asked, "--password-file", str(secret)], capsys)
