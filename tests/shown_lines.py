"""What work that takes long shows of its progress."""

import pytest

from nfl_keras import progress


@pytest.fixture
def shown_lines(monkeypatch, capsys):
    """Function that gives the lines shown since its last call, without speed and time left.

    A line is due after each batch, as if batches took half a minute.
    """
    monkeypatch.setattr(progress, "_EVERY", 0.0)

    def lines():
        return [line.partition(" | ")[0] for line in capsys.readouterr().err.splitlines()]

    return lines
