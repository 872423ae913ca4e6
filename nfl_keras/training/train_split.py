"""Defines how a run trains on one split."""

from nfl_keras.training.choose_settings import choose_settings
from nfl_keras.training.fit_split import fit_split
from nfl_keras.training.prepare_split import prepare_split
from nfl_keras.training.reporting.report_split import report_split
from nfl_keras.training.run import Run


def train_split(run: Run) -> dict[str, dict[str, float]]:
    """Prepares a split, trains on it, and reports the results.

    Args:
        run: `Run` over one split.

    Returns:
        The `figures` of the frozen backbone, the untrained and the trained model, by these names.

    Raises:
        UserError: see `nfl_keras.training.train_run`.
    """
    if run.config.evaluation.refit:
        with run.termination:
            run = choose_settings(run)
    split = prepare_split(run)
    with run.termination:
        return report_split(split, fit_split(split))
