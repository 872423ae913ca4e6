import json

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.calibrating.calibration import Calibration
from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold


@pytest.fixture(scope="module")
def calibration(clustered):
    vectors, labels = clustered(20, 6, noise=0.5)
    ids = np.arange(120)
    return learn_threshold(vectors, labels, vectors, labels, ids, ids, precision=0.9)


def test_json_gives_an_equal_calibration(calibration):
    text = calibration.to_json()
    assert Calibration.from_json(text) == calibration
    assert json.loads(text)["threshold"] == float(np.float32(calibration.threshold))


def test_json_has_no_threshold_where_there_is_none(calibration):
    values = json.loads(calibration.to_json())
    values["threshold_interval"] = [0.5, None]
    read = Calibration.from_json(json.dumps(values))
    assert read.threshold_interval == (0.5, None)
    assert "0.5000 to none" in repr(read)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"curve": 3}'])
def test_other_json_is_refused(text):
    with pytest.raises(UserError, match=r"not the JSON of a calibration .*; calibrate again"):
        Calibration.from_json(text)


def test_json_with_an_unknown_field_is_refused(calibration):
    values = {**json.loads(calibration.to_json()), "color": "red"}
    with pytest.raises(UserError, match=r"not the JSON of a calibration .*color"):
        Calibration.from_json(json.dumps(values))


def test_it_prints_as_a_table(calibration):
    lines = repr(calibration).splitlines()
    assert lines[0].startswith(f"match: similarity of {calibration.threshold:.4f} or more")
    assert (
        lines[1] == "120 queries of 20 classes, gallery of 120, 50% of queries without their class"
    )
    assert f"{calibration.recall:.4f}" in lines[5]
    assert max(map(len, lines)) <= 100
