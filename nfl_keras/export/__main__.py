"""`python -m nfl_keras.export RUN --to DIR`: a finished run's embedder, for TF Serving."""

import argparse
import pathlib
from collections.abc import Sequence

import tensorflow as tf

from nfl_keras.data.decoding.checked_bytes import MAX_PIXELS
from nfl_keras.errors import UserError, answered_in_one_line
from nfl_keras.export.deployment import render_deployment
from nfl_keras.export.model_card import read_card
from nfl_keras.export.saved_model import export_model, is_model_name
from nfl_keras.files import write_whole
from nfl_keras.servable.version_folder import versions_in
from nfl_keras.training.load_learner import load_learner
from nfl_keras.training.reporting.description import describe
from nfl_keras.training.run_folder import RunFolder


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.export") -> None:
    """Runs the command with a list of arguments, or with the process' own."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Writes a finished run's embedder to DIR/NAME/VERSION as a SavedModel that "
        "takes encoded images, compares it with the Keras model, and puts what a TF Serving "
        "deployment needs into DIR.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's folder, as train wrote it")
    parser.add_argument("--to", metavar="DIR", required=True, help="folder of the served models")
    parser.add_argument(
        "--name",
        default="embedder",
        help="by which requests name the model (default: %(default)s)",
    )
    parser.add_argument(
        "--version", type=int, help="number of the version (default: one above the highest)"
    )
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        help="which model of the run to export (default: the one whose figures it reports)",
    )
    parser.add_argument(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        help="images that declare more are refused undecoded (default: %(default)s)",
    )
    parser.add_argument(
        "--weights-license",
        metavar="TEXT",
        help="under what the weights may be used, for the model card (default: unknown, unless "
        "they were trained from random ones)",
    )
    given = parser.parse_args(arguments)
    with answered_in_one_line():
        _export(given)


def _export(given):
    folder = RunFolder(given.run)
    config = folder.config()
    if len(config.data.split_seeds) > 1:
        split = folder.split(config.data.split_seeds[0]).path
        raise UserError(f"{given.run!r} is a run over several splits; export one: {split}.")
    checkpoint = given.checkpoint or config.evaluation.final_epoch
    about = describe(folder, config, checkpoint)
    if given.weights_license:
        about["weights_license"] = given.weights_license
    model = load_learner(folder.checkpoint(checkpoint))
    tf.get_logger().setLevel("WARNING")  # else it tells where it writes aside
    version = export_model(
        model, given.to, given.version, given.name, max_pixels=given.max_pixels, about=about
    )
    checked = read_card(version)["checked"]
    print(
        f"largest difference from the Keras model on {checked['photographs']} photographs: "
        f"{checked['largest_difference']:.1e}"
    )
    print(f"exported: {version}")
    _deploy(pathlib.Path(given.to))


def _deploy(directory):
    """Writes the deployment's files, but leaves alone what somebody may have changed."""
    names = sorted(
        path.name for path in directory.iterdir() if is_model_name(path.name) and versions_in(path)
    )
    for file_name, text in render_deployment(names).items():
        path = directory / file_name
        if not path.exists():
            write_whole(path, text)
            print(f"written: {path}")
        elif path.read_text(encoding="utf-8") != text:
            print(f"left as it was: {path}; remove it to have it written for these models")


if __name__ == "__main__":
    main()
