"""`python -m nfl_keras.train`: trains and evaluates an embedder, and writes a run folder."""

import argparse
import sys
from collections.abc import Sequence

from nfl_keras.errors import UserError, exit_on_user_error
from nfl_keras.models.recipes import import_recipe
from nfl_keras.training.config.read_config import PROG, read_config


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    with exit_on_user_error():
        run, recipe, others = _run_to_resume(arguments)
        if run is not None:
            _resume(run, recipe, others)
            return
        config = read_config(arguments, prog)
        # Imported after `--help` and mistakes have been answered.
        from nfl_keras.training.train_run import train_run

        train_run(config)


def _run_to_resume(arguments: Sequence[str]) -> tuple[str | None, str | None, list[str]]:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--resume", metavar="RUN")
    parser.add_argument("--recipe", metavar="NAME")
    try:
        given, others = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError("--resume needs the folder of the run to resume.") from error
    return given.resume, given.recipe, others


def _resume(run: str, recipe: str | None, others: Sequence[str]) -> None:
    if others:
        named = [o.partition("=")[0] for o in others if o.startswith("-")] or others
        raise UserError(
            f"a run resumes by the settings in its own config.yaml; leave out {', '.join(named)} "
            f"beside --resume."
        )
    if recipe is not None:
        import_recipe(recipe)
    from nfl_keras.training.run_folder import RunFolder
    from nfl_keras.training.train_run import resume_run

    if recipe is not None and recipe != RunFolder(run).config().recipe.name:
        raise UserError(f"the run in {run!r} has another recipe than {recipe}; leave out --recipe.")
    resume_run(run)


if __name__ == "__main__":
    main()
    from nfl_keras.distribution.end_together import end_process

    end_process()
