"""`python -m nfl_keras.evaluate RUN`: repeats the evaluation of a finished run."""

import argparse
from collections.abc import Sequence

from nfl_keras.errors import answered_in_one_line
from nfl_keras.training.evaluation import evaluate_run


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.evaluate"
) -> None:
    """Runs the command with a list of arguments, or with the process' own."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Repeats the evaluation of a finished run and prints it. Nothing is written.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's folder, as train wrote it")
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        help="which model of the run to evaluate (default: the one whose figures it reports)",
    )
    parser.add_argument("--data-dir", help="where the dataset lies now, if it has moved")
    given = parser.parse_args(arguments)
    with answered_in_one_line():
        evaluate_run(given.run, given.checkpoint, given.data_dir)


if __name__ == "__main__":
    main()
