import pytest

from nfl_keras.training.clock_time import clock_time


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_durations(seconds, text):
    assert clock_time(seconds) == text
