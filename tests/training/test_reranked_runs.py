"""A run with a re-ranking, from its flag to its report."""

import json
import re

import pytest

from nfl_keras import evaluate, train
from nfl_keras.training.run_folder import RunFolder

RERANK = "k-reciprocal:k1=4,k2=2,weight=0.3,shortlist=9"
COLUMNS = ("Recall@1, re-ranked", "mAP, re-ranked")


def test_re_ranked_figures_stand_beside_the_plain_ones(quick, tmp_path, capsys):
    train.main(quick(epochs=1, evaluate_every=0, split_seeds="[0,5]", rerank=RERANK))
    printed = capsys.readouterr().out
    run = tmp_path / "run"
    found = {}
    for seed in (0, 5):
        metrics = json.loads((run / f"split-{seed}" / "metrics.json").read_text())
        for stage in ("frozen", "untrained", "trained"):
            report = RunFolder(run).split(seed).reports()[stage]
            assert report.reranked.rerank == RERANK
            assert report.reranked.map == metrics[stage]["reranked"]["map"]
            line = rf"^{stage} .* mAP {report.map:.4f} .* mAP, re-ranked {report.reranked.map:.4f}$"
            assert re.search(line, printed, re.MULTILINE)
            found.setdefault(stage, []).append(report.reranked.map)
        page = (run / f"split-{seed}" / "report.html").read_text()
        assert all(f'<th scope="col">{column}</th>' in page for column in COLUMNS)
        assert f"The re-ranked figures are of {RERANK}" in page
    whole = json.loads((run / "metrics.json").read_text())
    for stage, maps in found.items():
        assert whole[stage]["mean"]["mAP, re-ranked"] == pytest.approx(sum(maps) / 2)
    assert "mAP, re-ranked" in (run / "report.html").read_text()

    evaluate.main([str(run)])
    assert f"mAP, re-ranked {sum(found['trained']) / 2:.4f}" in capsys.readouterr().out
    evaluate.main([str(run / "split-5"), "--rerank", "alpha-expansion:n=1,alpha=0"])
    assert "re-ranked, alpha-expansion:n=1,alpha=0" in capsys.readouterr().out


def test_a_re_ranking_that_cannot_be_read_ends_the_command(quick, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        train.main(quick(rerank="k-reciprocal:k1=x"))
    assert stopped.value.code == 2
    assert "'k1=x' is no setting of the re-ranking k-reciprocal" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
