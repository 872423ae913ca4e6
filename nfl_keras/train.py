"""`python -m nfl_keras.train`: trains and evaluates an embedder, and writes a run folder."""

from nfl_keras.errors import answered_in_one_line
from nfl_keras.training.config import read_config
from nfl_keras.training.run import train


def main(arguments=None):
    """Runs the command with a list of arguments, or with the process' own."""
    with answered_in_one_line():
        train(read_config(arguments))


if __name__ == "__main__":
    main()
