"""Defines mixtures of a model's weights before and after training."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.models.lora import lora_layers
from nfl_keras.retrieval import RetrievalReport, RetrievalTask
from nfl_keras.training.reporting.figures import figures

ALPHAS = tuple(float(alpha) for alpha in np.linspace(0, 1, 9))


@dataclasses.dataclass(frozen=True)
class Blend:
    """A mixture of weights, and the reports by which it was chosen.

    Args:
        alpha: float in 0..1, the chosen share of the weights after training.
        reports: dict from each alpha that was tried to its `RetrievalReport`.
    """

    alpha: float
    reports: dict[float, RetrievalReport]


def blend(
    model: keras.Model, before: Sequence[np.ndarray], after: Sequence[np.ndarray], alpha: float
) -> None:
    """Sets a model's weights to before + alpha * (after - before).

    The moving means and variances of BatchNormalization are mixed in the same way. Integers are
    those of `after`.

    Args:
        model: `keras.Model`.
        before: sequence of arrays, the weights before training, as `model.get_weights()` returns
            them.
        after: sequence of arrays, the weights after it.
        alpha: float in 0..1.

    Raises:
        UserError: if the weights are not those of one architecture, or the model has low-rank
            updates that are not merged.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> nfl.training.blend(model, [np.array([[1.0]])], [np.array([[3.0]])], alpha=0.75)
    >>> model.get_weights()[0].item()
    2.5

    Reference: M. Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
    """
    if lora_layers(model):
        raise UserError(
            "the factors of low-rank updates cannot be mixed; take the weights and mix them within "
            "nfl.models.merged_lora(model)."
        )
    shapes = [tuple(weight.shape) for weight in model.weights]
    if any([np.shape(value) for value in values] != shapes for values in (before, after)):
        raise UserError(
            "the weights before and after do not fit the model; give what get_weights() of one "
            "architecture returned before training and after it."
        )
    model.set_weights(
        [
            old + alpha * (new - old) if np.issubdtype(np.asarray(new).dtype, np.floating) else new
            for old, new in zip(before, after, strict=True)
        ]
    )


def choose_blend(
    embedder: keras.Model,
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    task: RetrievalTask,
    crops: int = 3,
    alphas: Sequence[float] = ALPHAS,
    floor: RetrievalReport | None = None,
) -> Blend:
    """Chooses the mixture of weights that retrieves best, and leaves the embedder with it.

    The best has the highest sum of Recall@1 and mAP, and of several such the largest share of the
    weights after training. Give photographs that the figures are not
    to be measured on.

    Args:
        embedder: `nfl.models.Embedder`.
        before: sequence of arrays, `embedder.get_weights()` before training.
        after: sequence of arrays, `embedder.get_weights()` after it.
        task: `nfl.retrieval.RetrievalTask` to choose by.
        crops: 3 or 1, crops per photograph. Defaults to `3`.
        alphas: sequence of floats in 0..1, the mixtures to try. Defaults to nine, in steps of 1/8.
        floor: `RetrievalReport` of the frozen backbone on `task`. Mixtures below it in Recall@1 or
            mAP are chosen only if all are. Defaults to `None`.

    Returns:
        A `Blend`.

    Raises:
        UserError: if the weights do not fit the embedder.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset(range(24))
    >>> task = nfl.retrieval.RetrievalTask(query, query)
    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> before = embedder.get_weights()
    >>> after = [1.1 * weight for weight in before]
    >>> chosen = nfl.training.choose_blend(embedder, before, after, task, 1, alphas=[0.5, 1.0])
    >>> sorted(chosen.reports)
    [0.5, 1.0]
    """
    reports = {}
    for alpha in alphas:
        blend(embedder, before, after, alpha)
        reports[float(alpha)] = task.evaluate(*task.embed(embedder, crops))
    kept = [alpha for alpha in reports if floor is None or not below(reports[alpha], floor)]
    chosen = max(kept or reports, key=lambda alpha: (sum(_watched(reports[alpha]).values()), alpha))
    blend(embedder, before, after, chosen)
    return Blend(chosen, reports)


def below(report: RetrievalReport, floor: RetrievalReport) -> list[str]:
    """Names the figures, of Recall@1 and mAP, in which a report is below another."""
    least = _watched(floor)
    return [name for name, value in _watched(report).items() if value < least[name]]


def _watched(report: RetrievalReport) -> dict[str, float]:
    of_report = figures(report)
    return {name: of_report[name] for name in ("Recall@1", "mAP")}
