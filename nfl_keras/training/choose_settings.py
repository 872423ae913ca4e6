"""Defines how a run chooses its settings on a held-out part, and then trains on all photographs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.training.build_sampler import build_sampler
from nfl_keras.training.config import dump_config
from nfl_keras.training.fit_split import fit_split
from nfl_keras.training.prepare_split import prepare_split
from nfl_keras.training.reporting.report_split import report_split
from nfl_keras.training.run import Run
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits


def choose_settings(run: Run) -> Run:
    """Chooses learning rate, epochs and mixture on a held-out part of the training split.

    For each learning rate it trains a run of its own in the folder `choices`, without the part
    that is held out, and measures it there. The best has the highest sum of Recall@1 and mAP. The
    run's `config.yaml` then has what was chosen, and `choice.json` says how.

    Args:
        run: `Run` over one split, with `refit`.

    Returns:
        The `Run` that trains on the whole training split, or on all photographs with `train_on`
        all, by the settings that were chosen.

    Raises:
        UserError: if training fails at each rate, see `nfl_keras.training.train_run`.
    """
    folder, config = run.folder, run.config
    final = config.replace(
        blend=1.0,
        refit=False,
        refit_rates=[],
        validation_classes=0,
        evaluate_every=0,
        final_epoch="last",
        early_stopping_epochs=0,
    )
    build_sampler(Splits.of(run.dataset, final).train, final)  # This refuses what is too small.
    if not (run.resumes and folder.exists):
        RunFolder.create(folder.path, config, run.bad_images)
    choice = folder.choice()
    if choice is None:
        rates = config.evaluation.refit_rates or [config.optimizer.learning_rate]
        choice = _choose(run, rates)
        folder.write_json("choice.json", choice)
    chosen = choice["chosen"]
    whole = "all photographs" if config.data.train_on == "all" else "the whole training split"
    print(
        f"\nchosen: learning rate {chosen['learning_rate']:g}, epochs {chosen['epochs']}, alpha "
        f"{chosen['alpha']:g}; training on {whole}",
        flush=True,
    )
    final = final.replace(
        learning_rate=chosen["learning_rate"], epochs=chosen["epochs"], blend=chosen["alpha"]
    )
    write_whole(folder.path / "config.yaml", dump_config(final))
    return dataclasses.replace(run, config=final, resumes=True)


def _choose(run: Run, rates: Sequence[float]) -> dict[str, Any]:
    candidates, failed = [], {}
    for rate in rates:
        try:
            candidates.append(_measure(run, rate))
        except UserError as error:
            failed[rate] = error
            print(f"learning rate {rate:g} is out: {error}", flush=True)
    if not candidates:
        raise failed[min(failed)]
    best = max(candidates, key=lambda c: c["Recall@1"] + c["mAP"])
    problems = {f"{rate:g}": str(error) for rate, error in failed.items()}
    return {"chosen": best, "candidates": candidates, "failed": problems}


def _measure(run: Run, rate: float) -> dict[str, Any]:
    """Returns what a learning rate gives on the held-out part, with the best epoch and mixture."""
    folder = RunFolder(run.folder.path / "choices" / f"rate-{rate:g}")
    config = run.config.replace(
        learning_rate=rate,
        refit=False,
        refit_rates=[],
        train_on="train",
        evaluate_on="validation",
        final_epoch="best",
        rerank=None,
    )
    print(f"\nchoosing on validation photographs: learning rate {rate:g}", flush=True)
    if not (run.resumes and folder.finished):
        split = prepare_split(dataclasses.replace(run, config=config, folder=folder))
        report_split(split, fit_split(split))
    metrics = folder.metrics()
    return {
        "learning_rate": rate,
        "epochs": metrics["final_epoch"],
        "alpha": metrics["blend"]["alpha"],
        "Recall@1": metrics["trained"]["recall_at"]["1"],
        "mAP": metrics["trained"]["map"],
        "protocol": metrics["trained"]["protocol"],
    }
