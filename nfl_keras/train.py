"""`python -m nfl_keras.train`: trains and evaluates an embedder, and writes a run folder."""

import argparse
import sys

from nfl_keras.errors import UserError, answered_in_one_line
from nfl_keras.training.config import read_config
from nfl_keras.training.run import resume, train


def main(arguments=None):
    """Runs the command with a list of arguments, or with the process' own.

    `--resume RUN` goes on with a run that was stopped, by the settings in its folder.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    with answered_in_one_line():
        run = _run_to_resume(arguments)
        if run is None:
            train(read_config(arguments))
        else:
            resume(run)


def _run_to_resume(arguments):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--resume", metavar="RUN")
    try:
        given, others = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError("--resume needs the folder of the run to go on with.") from error
    if given.resume is None:
        return None
    if others:
        named = [o.partition("=")[0] for o in others if o.startswith("-")] or others
        raise UserError(
            f"a run goes on by the settings in its own config.yaml; leave out {', '.join(named)} "
            f"beside --resume."
        )
    return given.resume


if __name__ == "__main__":
    main()
