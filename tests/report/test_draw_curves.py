import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.report.draw_curves import draw_blend, draw_curves, is_metric

EPOCHS = [1, 2, 3, 4, 5]


def names_drawn(svg):
    return {text.text for text in svg.find("text")}


def points_drawn(svg):
    """Of each line in drawing order, how many points it was drawn with."""
    axes = next(e for e in svg.every() if e.attributes.get("id", "").endswith("axes_1"))
    groups = [e for e in axes.children if getattr(e, "tag", "") == "g"]
    return [len(group.find("use")) for group in groups if group.find("use")]


def test_terms_and_metrics_have_a_panel_each(parse):
    history = {"epoch": EPOCHS, "loss": EPOCHS, "L_N": EPOCHS, "map": [0.1] * 5}
    terms, metrics = draw_curves(history)
    assert (terms.heading, metrics.heading) == ("Loss terms", "Retrieval")
    assert {"loss", "L_N"} <= names_drawn(parse(terms.svg))
    assert "map" in names_drawn(parse(metrics.svg))
    assert "map" not in names_drawn(parse(terms.svg))


@pytest.mark.parametrize(
    ("name", "metric"),
    [("recall@1", True), ("map", True), ("mAP", True), ("map@10", True), ("L_S", False)],
)
def test_what_counts_as_a_metric(name, metric):
    assert is_metric(name) is metric


def test_epochs_without_a_measurement_are_no_points(parse):
    history = {"epoch": EPOCHS, "map": [None, 0.5, float("nan"), float("inf"), 0.7]}
    (panel,) = draw_curves(history)
    svg = parse(panel.svg).find("svg")[0]
    assert 2 in points_drawn(svg)
    assert svg.attributes["aria-label"] == (
        "Retrieval metrics, epochs 1 to 5: map from 50.0% to 70.0%."
    )


def test_the_frozen_level_is_dashed_and_named_as_in_the_table(parse):
    history = {"epoch": EPOCHS, "map": [0.5] * 5, "recall@1": [0.6] * 5}
    (panel,) = draw_curves(history, frozen={"mAP": 0.2, "Recall@1": None, "Recall@2": 0.3})
    assert "Dashed: the frozen backbone." in panel.caption
    svg = parse(panel.svg)
    assert {"mAP", "Recall@1"} <= names_drawn(svg)
    dashed = [e for e in svg.find("path") if "stroke-dasharray" in e.attributes.get("style", "")]
    assert len(dashed) == 1
    (panel,) = draw_curves(history)
    assert "Dashed" not in panel.caption


def test_mixtures_are_drawn_over_alpha_beside_the_frozen_backbone(parse):
    figures = {
        alpha: {"Recall@1": recall, "Recall@2": 1.0, "mAP": 0.3}
        for alpha, recall in ((1.0, 0.62), (0.0, 0.6), (0.5, 0.65))
    }
    panel = draw_blend(figures, {"Recall@1": 0.61, "Recall@2": 0.9, "mAP": 0.2}, chosen=0.5)
    assert "Dashed: the frozen backbone. Dotted: alpha 0.5" in panel.caption
    drawing = parse(panel.svg)
    assert names_drawn(drawing) >= {"Recall@1", "mAP", "alpha"}
    assert drawing.find("svg")[0].attributes["aria-label"] == (
        "Retrieval metrics, alpha 0 to 1: Recall@1 from 60.0% to 62.0%; mAP from 30.0% to 30.0%."
    )
    assert points_drawn(drawing.find("svg")[0])[-2:] == [3, 3]


def test_best_epoch_is_marked_in_both_panels(parse):
    history = {"epoch": [0, 1], "loss": [2.0, 1.0], "map": [0.1, 0.2]}
    for panel in draw_curves(history, best_epoch=0):
        assert "epoch 0, the best" in panel.caption
        assert "best" in names_drawn(parse(panel.svg))
    for panel in draw_curves(history):
        assert "best" not in names_drawn(parse(panel.svg))


@pytest.mark.parametrize("history", [{}, {"epoch": []}, {"epoch": [1], "loss": [None]}])
def test_nothing_measured_is_nothing_drawn(history):
    assert draw_curves(history) == []


def test_one_epoch_is_enough(parse):
    (panel,) = draw_curves({"epoch": [7], "loss": [np.float32(1.5)]})
    svg = parse(panel.svg).find("svg")[0]
    assert svg.attributes["aria-label"] == "Loss terms, epochs 7 to 7: loss from 1.5 to 1.5."


def test_twenty_terms_are_all_named(parse):
    history = {"epoch": EPOCHS} | {f"term {i}": [1.0] * 5 for i in range(20)}
    (panel,) = draw_curves(history)
    assert {f"term {i}" for i in range(20)} <= names_drawn(parse(panel.svg))


def test_history_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match='no "epoch" list'):
        draw_curves({"loss": [1.0]})
    with pytest.raises(UserError, match="1 epochs but 2 values of 'loss'"):
        draw_curves({"epoch": [1], "loss": [1.0, 2.0]})
