"""Where the page's password comes from, and when there must be one."""

import pytest

from nfl_keras.errors import UserError
from nfl_keras.web import checked_password
from nfl_keras.web.password import VARIABLE


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_machine_alone_needs_none(host):
    assert checked_password(host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "127.0.0.1.nip"])
def test_other_machines_need_one(host, monkeypatch, tmp_path):
    with pytest.raises(UserError, match=f"other machines reach {host}, so the page needs a"):
        checked_password(host)
    monkeypatch.setenv(VARIABLE, "from the variable")
    assert checked_password(host) == "from the variable"
    (tmp_path / "secret").write_text("from the file\r\nsecond line")
    assert checked_password(host, tmp_path / "secret") == "from the file"


def test_a_short_or_unreadable_one_is_refused(tmp_path):
    (tmp_path / "short").write_text("1234567\n")
    with pytest.raises(UserError, match="has 7 characters; take 8 or more"):
        checked_password("127.0.0.1", tmp_path / "short")
    with pytest.raises(UserError, match=r"'.*gone' cannot be read \(No such file"):
        checked_password("127.0.0.1", tmp_path / "gone")
    (tmp_path / "binary").write_bytes(b"\xff" * 9)
    with pytest.raises(UserError, match=r"cannot be read \(it is no text\)"):
        checked_password("127.0.0.1", tmp_path / "binary")
