"""Defines the notes of a report: how its figures came about."""

from collections.abc import Collection, Mapping
from typing import Any

from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.blending import Blend, below
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.reporting.figures import figures
from nfl_keras.training.splits import Splits


def train_on_notes(config: TrainConfig) -> list[str]:
    """Says that a run which trained on all photographs has no test.

    Args:
        config: `TrainConfig`.

    Returns:
        List of str, sentences. It is empty if the run trained on the training split.
    """
    if config.data.train_on != "all":
        return []
    return [
        "No test figure follows from this run: it trained on all photographs but a few, which it "
        "held out to watch. Measure settings on a test by a run without train_on all."
    ]


def epoch_notes(
    config: TrainConfig, splits: Splits, last_epoch: int, best_epoch: int | None
) -> list[str]:
    """Says which epoch the figures are from, and how it was chosen.

    Args:
        config: `TrainConfig`.
        splits: `Splits`.
        last_epoch: int. It is below `config.optimizer.epochs` if the run stopped early.
        best_epoch: int, the epoch with the highest mAP on `splits.watched`, or `None` if epochs
            were not measured.

    Returns:
        List of str, sentences.
    """
    crops = (
        f"{config.evaluation.crops} crop{'s' if config.evaluation.crops > 1 else ''} per photograph"
    )
    if best_epoch is None:
        return [f"The figures are those of the last epoch, {last_epoch}, with {crops}."]
    if splits.watched is not splits.final:
        where = f"{_held_out(config)}, no test photograph among them"
    elif config.evaluated_on == "validation":
        where = "the validation photographs that the figures are measured on"
    else:
        where = "the test queries themselves, so that its figures are no test result"
    if config.evaluation.final_epoch == "best":
        notes = [
            f"The figures are those of epoch {best_epoch} of {last_epoch}, with {crops}. It "
            f"was chosen by mAP on {where}."
        ]
    else:
        notes = [
            f"The figures are those of the last epoch, {last_epoch}, with {crops}.",
            f"best.keras is epoch {best_epoch}, chosen by mAP on {where}.",
        ]
    if last_epoch < config.optimizer.epochs:
        notes.append(
            f"The run stopped early, after {config.evaluation.early_stopping_epochs} epochs "
            f"without a better mAP, before epoch {last_epoch + 1} of {config.optimizer.epochs}."
        )
    measured = "The curves of measures are of one crop"
    if splits.watched is not splits.final:
        measured += f", on other photographs than the figures: {splits.watched.description}"
    return [*notes, f"{measured}."]


def _held_out(config: TrainConfig) -> str:
    if config.evaluation.validation_classes:
        return "held-out validation classes"
    return "held-out validation photographs"


def floor_notes(trained: RetrievalReport, floor: RetrievalReport) -> list[str]:
    """Says in which figures the trained model is below the frozen backbone, and what to try.

    Args:
        trained: `RetrievalReport` of the trained model.
        floor: `RetrievalReport` of the frozen backbone on the same photographs.

    Returns:
        List of str, sentences. It is empty if the model is below in neither Recall@1 nor mAP.
    """
    after, before = figures(trained), figures(floor)
    worse = [
        f"{name} ({after[name]:.4f} after {before[name]:.4f})" for name in below(trained, floor)
    ]
    if not worse:
        return []
    return [
        f"Training made it worse: the trained model is below the frozen backbone in "
        f"{' and '.join(worse)}, measured on: {trained.protocol}. Try --blend auto, a lower "
        f"--learning-rate, fewer --epochs or more frozen blocks (--freeze-through); see "
        f"docs/tuning.md."
    ]


def blend_notes(share: float | str, chosen: Blend | None, splits: Splits) -> list[str]:
    """Says which mixture of the weights before and after training the figures are of.

    Args:
        share: `config.evaluation.blend`.
        chosen: `Blend`, or `None` if its share was given.
        splits: `Splits`.

    Returns:
        List of str, sentences.
    """
    if chosen is None and share == 1:
        return []
    alpha = float(share) if chosen is None else chosen.alpha
    notes = [
        f"The model is a mixture: {alpha:g} of the weights after training and {1 - alpha:g} of "
        f"those before it, the statistics of BatchNormalization too."
    ]
    if chosen is not None:
        notes.append(
            f"The share was chosen among {len(chosen.reports)} by Recall@1 + mAP on: "
            f"{splits.watched.description}."
        )
    return notes


def refit_notes(choice: Mapping[str, Any] | None, config: TrainConfig) -> list[str]:
    """Says which settings were chosen on a held-out part before the run trained on all.

    Args:
        choice: what `choice.json` of the run holds, or `None` if there is none.
        config: `TrainConfig`.

    Returns:
        List of str, sentences.
    """
    if choice is None:
        return []
    chosen, candidates = choice["chosen"], choice["candidates"]
    whole = "all photographs" if config.data.train_on == "all" else "the whole training split"
    among = f" among {len(candidates)}" if len(candidates) > 1 else ""
    return [
        f"The run chose {chosen['epochs']} epochs, alpha {chosen['alpha']:g} and the learning rate "
        f"{chosen['learning_rate']:g}{among} by Recall@1 + mAP on: {chosen['protocol']}. Then it "
        f"trained anew on {whole}.",
        *(
            f"Training failed at the learning rate {rate}: {problem}"
            for rate, problem in choice["failed"].items()
        ),
    ]


def rerank_notes(report: RetrievalReport) -> list[str]:
    """Says how rankings were re-ranked.

    Args:
        report: `RetrievalReport`.

    Returns:
        List of str, sentences. It is empty without re-ranking.
    """
    if report.reranked is None:
        return []
    return [
        f"The re-ranked figures are of {report.reranked.rerank}, for every model. Nothing was "
        f"chosen by them."
    ]


def photograph_notes(report: RetrievalReport, bad: Collection[str]) -> list[str]:
    """Says how many queries and photographs were left out.

    Args:
        report: `RetrievalReport`.
        bad: collection of the photographs that could not be decoded.

    Returns:
        List of str, sentences.
    """
    notes = []
    if bad:
        notes.append(
            f"Photographs left out since they cannot be used: {len(bad):,} (bad_images.json)."
        )
    if report.num_skipped:
        notes.append(f"Queries left out since they have nothing to find: {report.num_skipped:,}.")
    return notes


def measure_notes(measured: Mapping[str, Any]) -> list[str]:
    """Says how often the softmax head is right, and how diverse the queries of a class are.

    Args:
        measured: dict that `measures` has returned.

    Returns:
        List of str, sentences.
    """
    notes = []
    if measured["accuracy"] is not None:
        notes.append(f"The softmax head names the class of {measured['accuracy']:.1%} of queries.")
    if measured["diversity"] is not None:
        diversity = measured["diversity"]
        notes.append(
            f"Two queries of a class have a cosine of {diversity['same_class_cosine']:.3f} in the "
            f"mean; those of a class differ in {diversity['effective_rank']:.1f} directions "
            f"(effective rank)."
        )
    return notes
