"""`python -m nfl_keras.evaluate RUN`: repeats the evaluation of a finished run."""

import argparse
from collections.abc import Sequence

from nfl_keras.errors import exit_on_user_error


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.evaluate"
) -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Repeats the evaluation of a finished run and prints it. Nothing is written.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's folder, as train wrote it")
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best", "blend"),
        help="which model of the run to evaluate (default: the one whose figures it reports)",
    )
    parser.add_argument("--data-dir", help="where the dataset is now, if it has moved")
    parser.add_argument(
        "--rerank",
        metavar="HOW",
        help="measure a re-ranking too, such as k-reciprocal:k1=20,k2=6,weight=0.3 or "
        "alpha-expansion:n=2,alpha=1 (default: that of the run, if any)",
    )
    parser.add_argument(
        "--recipe",
        metavar="CLASS",
        help="package.module.Class of a recipe of your own, which this command then imports; "
        "needed for a run by one",
    )
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        # Imported after `--help` and mistakes have been answered, since TensorFlow takes long.
        from nfl_keras.training.evaluate_run import evaluate_run

        evaluate_run(given.run, given.checkpoint, given.data_dir, given.recipe, given.rerank)


if __name__ == "__main__":
    main()
