"""`nfl-keras COMMAND`: runs one of the package's commands, and imports no other."""

import importlib
import os
import sys
from collections.abc import Sequence

from nfl_keras import __version__
from nfl_keras.errors import UserError, exit_on_user_error

# Each command, its module and what it does.
COMMANDS = {
    "train": ("nfl_keras.train", "Trains and evaluates an embedder, and writes a run folder."),
    "evaluate": ("nfl_keras.evaluate", "Repeats the evaluation of a finished run."),
    "export": ("nfl_keras.export.__main__", "Writes a finished run's embedder as a SavedModel."),
    "index": ("nfl_keras.index", "Embeds a folder of photographs into a gallery."),
    "embed": ("nfl_keras.embed", "Embeds photographs by many processes, for an index of them."),
    "inspect": ("nfl_keras.inspect", "Finds duplicates and suspect labels of a gallery."),
    "calibrate": ("nfl_keras.calibrate", "Learns from which similarity on an answer is a match."),
    "search": ("nfl_keras.search", "Finds the photographs of a gallery that are most similar."),
    "serve": ("nfl_keras.serve", "Serves exported models by TensorFlow Serving's API."),
    "reproduce": ("nfl_keras.reproduce", "Measures a table of the papers anew."),
    "noise-figure": ("nfl_keras.noise_figure", "Draws a photograph under noise."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command that the first argument names, with the arguments after it.

    Args:
        arguments: sequence of str. Defaults to the process' own.

    Raises:
        SystemExit: with code 2 if there is no such command, or as the command raises it.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    name = arguments.pop(0)
    if name in ("-h", "--help"):
        print(_help())
    elif name == "--version":
        print(f"nfl-keras {__version__}")
    elif name in COMMANDS:
        module, _ = COMMANDS[name]
        importlib.import_module(module).main(arguments, prog=f"nfl-keras {name}")
    else:
        with exit_on_user_error():
            raise UserError(
                f"there is no command {name!r}; the commands are {', '.join(COMMANDS)}."
            )


def command() -> None:
    """Runs the process of `nfl-keras`, and ends it at once if it was a worker of several."""
    main()
    if "TF_CONFIG" in os.environ:
        # Imported here, since most commands do without TensorFlow.
        from nfl_keras.distribution.end_together import end_process

        end_process()


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: nfl-keras COMMAND ...",
            "",
            *lines,
            "",
            "`nfl-keras COMMAND --help` explains the arguments of a command.",
        ]
    )


if __name__ == "__main__":
    command()
