import pytest

from nfl_keras.errors import UserError
from nfl_keras.report.write_summary import write_summary


def test_summary_lists_the_splits_and_leads_to_their_reports(tmp_path, parse):
    path = write_summary(
        tmp_path / "new" / "summary.html",
        title="Flowers-17",
        summary="Two splits.",
        splits=[
            ("Split 1", {"Recall@1": 0.92, "mAP": 0.8}, "split 1/report.html"),
            ("Split <2>", {"Recall@1": 0.94}, None),
        ],
        mean={"Recall@1": 0.93, "mAP": 0.8},
        deviation={"Recall@1": 0.0141},
        baselines={"Frozen": ({"Recall@1": 0.8, "mAP": 0.5}, {"Recall@1": 0.01})},
    )
    page = parse(path)
    cells = [[c.text for c in row.find("th") + row.find("td")] for row in page.find("tr")]
    assert cells == [
        ["Split", "Recall@1", "mAP"],
        ["Frozen, mean ± deviation", "80.00 ± 1.00%", "50.00%"],
        ["Split 1", "92.00%", "80.00%"],
        ["Split <2>", "94.00%", "—"],
        ["Mean ± deviation", "93.00 ± 1.41%", "80.00%"],
    ]
    assert [link.attributes["href"] for link in page.find("a")] == ["split%201/report.html"]


def test_summary_links_cannot_leave_the_disk(tmp_path, parse):
    def summary(href):
        return write_summary(
            tmp_path / "summary.html",
            title="t",
            summary="s",
            splits=[("Split 1", {}, href)],
            mean={},
        )

    (link,) = parse(summary("javascript:alert(1)")).find("a")
    assert link.attributes["href"] == "javascript%3Aalert%281%29"
    with pytest.raises(UserError, match="is absolute: give a path relative"):
        summary("//example.org/report.html")
