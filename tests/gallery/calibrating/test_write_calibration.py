import dataclasses

import numpy as np
import pytest

from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold
from nfl_keras.gallery.calibrating.write_calibration import draw_calibration, write_calibration


@pytest.fixture(scope="module")
def calibration(clustered):
    vectors, labels = clustered(20, 6, noise=0.5)
    ids = np.arange(120)
    return learn_threshold(vectors, labels, vectors, labels, ids, ids, precision=0.9)


def test_page_shows_the_threshold_and_the_spread(tmp_path, calibration):
    spread = dataclasses.replace(calibration.precision_spread, lowest_class="<ash>")
    calibration = dataclasses.replace(calibration, precision_spread=spread)
    page = write_calibration(tmp_path / "page.html", calibration, title="Trees & more").read_text()
    assert "<h1>Trees &amp; more</h1>" in page
    assert f"{calibration.threshold:.4f} or more" in page
    assert f"{calibration.precision:.1%}" in page
    assert "&lt;ash&gt;" in page
    assert "<ash>" not in page
    assert page.count("<svg") == 1
    assert "src=" not in page


def test_page_shows_an_interval_without_an_end(tmp_path, calibration):
    open_ended = dataclasses.replace(calibration, threshold_interval=(0.5, None))
    page = write_calibration(tmp_path / "page.html", open_ended, title="Trees").read_text()
    assert "0.5000 to —" in page


def test_chart_marks_the_threshold_and_names_its_lines(calibration):
    panel = draw_calibration(calibration)
    for text in (">threshold<", ">precision<", ">recall<", ">with confidence 0.95<"):
        assert text in panel.svg
    assert ">best<" not in panel.svg
    assert f"{calibration.threshold:.4f}" in panel.caption
