import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses.check_temperature import check_temperature


@pytest.mark.parametrize("temperature", [0, 0.0, -0.1, float("nan")])
def test_temperature_must_be_above_0(temperature):
    with pytest.raises(UserError, match="temperature must be above 0"):
        check_temperature(temperature)


def test_temperatures_above_0_pass():
    for temperature in (1e-6, 0.1, 5):
        assert check_temperature(temperature) is None
