"""Defines how measured rows become a table beside the paper's."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence

from nfl_keras.report import ComparedRow, Comparison, Panel, draw_at_k, draw_learning
from nfl_keras.reproduction.budgets import Base
from nfl_keras.reproduction.claim import Claim
from nfl_keras.reproduction.column import figures_of
from nfl_keras.reproduction.measure_rows import MeasuredRow
from nfl_keras.reproduction.run_cell import finished_runs
from nfl_keras.reproduction.table import Table
from nfl_keras.training.run_folder import RunFolder

_SMALLER = (
    "Ours are of other photographs or another network than the paper's: compare them with one "
    "another, not with the paper's."
)
# Whose learning is drawn, of many methods: those that the papers say learn slower, and theirs.
_DRAWN = ("nifl", "nafl", "softmax", "norm-softmax", "triplet-semi-hard", "triplet-hard")


def compare(
    table: Table, dataset: str, base: Base | None, rows: Sequence[MeasuredRow], problem: str = ""
) -> Comparison:
    """Puts what was measured beside what was published. What was not run comes last.

    Args:
        table: `Table`.
        dataset: str.
        base: `Base` of the runs, or `None` if there are none.
        rows: sequence of `MeasuredRow`, none of a dataset that cannot be run.
        problem: str, why it cannot. Defaults to `""`.

    Returns:
        A `Comparison`.
    """
    measured = {row.planned.name: row for row in rows}
    published = table.published.get(dataset, {})
    names = [*measured, *(name for name in published if name not in measured)]
    compared = [
        _compared(table, name, published.get(name, {}), measured.get(name)) for name in names
    ]
    notes = [f"not run: {problem}"] if problem else []
    notes += [_SMALLER] if base is not None and base.chooses and published else []
    notes += [_claim(table, claim, measured) for claim in table.claims if not problem]
    panels: list[Panel] = [] if problem else _learning(rows)
    if table.is_figure and not problem:
        panels = [*_figure(compared, table.columns), *panels]
    summary = "" if base is None else _summary(base, rows)
    return Comparison(dataset, summary, table.columns, compared, [*notes, *table.slips], panels)


def _compared(
    table: Table, name: str, published: Mapping[str, float], row: MeasuredRow | None
) -> ComparedRow:
    if row is None:
        return ComparedRow(name, published, note=_why_not(table, name))
    mean, deviation = {}, {}
    for column in table.columns:
        values = list(figures_of(column, row.metrics).values())
        if values:
            mean[column] = statistics.mean(values)
        if len(values) > 1:
            deviation[column] = statistics.stdev(values)
    runs = len(row.metrics)
    seconds = statistics.mean(m["seconds"] for m in row.metrics.values()) if runs else None
    note = f"not run: {row.problem}" if row.problem else _chosen(row)
    return ComparedRow(name, published, mean, deviation, runs, seconds, note)


def _why_not(table: Table, name: str) -> str:
    if name not in table.rows:
        return "published, not run"
    network = table.rows[name].network
    return "published, not run here" + (" (--budget paper)" if network else "")


def _chosen(row: MeasuredRow) -> str:
    """What the row's runs chose, in words."""
    choice = next((run.choice() for run in finished_runs(row.planned)), None)
    if choice is None:
        return ""
    chosen = choice["chosen"]
    return f"rate {chosen['learning_rate']:g}, epochs {chosen['epochs']}, alpha {chosen['alpha']:g}"


def _summary(base: Base, rows: Sequence[MeasuredRow]) -> str:
    trained = [row for row in rows if row.metrics and row.planned.method.recipe]
    if not trained:
        return ""
    config = trained[0].planned.config
    embedder = config.embedder
    seeds = sorted({cell.seed for row in rows for cell in row.metrics})
    splits = sorted({cell.split for row in rows for cell in row.metrics})
    protocol = next(iter(trained[0].metrics.values()))["trained"]["protocol"]
    parts = [
        f"{embedder.backbone.rstrip('/').rpartition('/')[2]}, {embedder.image_size} pixels, "
        f"embeddings of {embedder.embedding_dim} dimensions, {config.evaluation.crops} crops",
        protocol,
        f"settings of {base.config}, {config.optimizer.epochs} epochs at most",
        f"means ± standard deviations over {_named('split', splits)} and {_named('seed', seeds)}",
    ]
    rates = config.evaluation.refit_rates
    if rates:
        parts.append(
            f"each method chose its rate of {', '.join(f'{rate:g}' for rate in rates)}, its epochs "
            f"and its mixture with the start on held-out training photographs, in its first run"
        )
    return "; ".join(parts) + "."


def _claim(table: Table, claim: tuple[str, str], rows: Mapping[str, MeasuredRow]) -> str:
    better, worse = claim
    column = table.columns[0]
    words = f"{better} above {worse} in {column}"
    if better not in rows or worse not in rows:
        return f"{words}: not run."
    found = Claim.of(*(figures_of(column, rows[name].metrics) for name in claim))
    if found is None:
        return f"{words}: not run."
    if math.isinf(found.margin):
        return f"{words}: {found.verdict} ({found.difference:+.4f} in one run)."
    return (
        f"{words}: {found.verdict} ({found.difference:+.4f} ± {found.margin:.4f}, "
        f"95 % interval over {found.over})."
    )


def _named(word: str, numbers: Sequence[int]) -> str:
    return f"{word}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _learning(rows: Sequence[MeasuredRow]) -> list[Panel]:
    recalls, images, seconds = {}, {}, {}
    trained = [row for row in rows if row.planned.method.recipe]
    if len(trained) > len(_DRAWN):
        trained = [row for row in trained if row.planned.folder.name in _DRAWN]
    for row in trained:
        runs = finished_runs(row.planned)
        if not runs:
            continue
        first, choice = runs[0], runs[0].choice()
        if choice is not None:
            first = RunFolder(
                first.path / "choices" / f"rate-{choice['chosen']['learning_rate']:g}"
            )
        history = json.loads((first.path / "history.json").read_text(encoding="utf-8"))
        pace = first.metrics()["pace"]
        known = [i for i, value in enumerate(history.get("recall@1", [])) if value is not None]
        if known:
            name = row.planned.name
            recalls[name] = [history["recall@1"][i] for i in known]
            images[name] = [pace["images"][i] for i in known]
            seconds[name] = [pace["seconds"][i] for i in known]
    if not recalls:
        return []
    chosen = any(row.planned.config.evaluation.refit for row in rows)
    photographs = "held-out training photographs" if chosen else "the test photographs"
    return draw_learning(recalls, images, seconds, photographs)


def _figure(rows: Sequence[ComparedRow], columns: Sequence[str]) -> list[Panel]:
    name = columns[0].partition("@")[0]
    drawn = {
        row.name: {int(c.partition("@")[2]): row.mean[c] for c in columns}
        for row in rows
        if all(column in row.mean for column in columns)
    }
    return [draw_at_k(drawn, name)] if drawn else []
