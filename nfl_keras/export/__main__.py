"""`python -m nfl_keras.export RUN --to DIR` exports a finished run's embedder."""

import argparse
import json
import pathlib
from collections.abc import Sequence

from nfl_keras.errors import UserError, exit_on_user_error


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.export") -> None:
    """Runs the command with a list of arguments, or with the arguments of the process."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Exports a finished run's embedder to DIR/NAME/VERSION as a SavedModel that "
        "takes encoded images, compares it with the Keras model, and writes what a TensorFlow "
        "Serving deployment needs into DIR.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a finished run")
    add("--to", metavar="DIR", required=True, help="folder of the served models")
    add("--name", default="embedder", help="the model's name in requests (default: %(default)s)")
    add("--version", type=int, help="the version's number (default: one above the highest)")
    which = "the model to export (default: the one that the run's metrics describe)"
    add("--checkpoint", choices=("last", "best", "blend"), help=which)
    limit = "the served model refuses images that declare more pixels (default: %(default)s)"
    add("--max-pixels", type=int, default=100_000_000, help=limit)
    license = "license of the weights, for the model card (default: unknown, unless training began "
    add("--weights-license", metavar="TEXT", help=license + "from random weights)")
    outside = "package.module.Class of the run's recipe, for one from outside nfl_keras: imports it"
    add("--recipe", metavar="CLASS", help=outside)
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        _export(given)


def _export(given: argparse.Namespace) -> None:
    # Imported here, since `--help` does not need TensorFlow.
    import tensorflow as tf

    from nfl_keras.export.model_card import PATH
    from nfl_keras.export.saved_model import export_model
    from nfl_keras.files import local_path
    from nfl_keras.models.recipes import import_recipe
    from nfl_keras.training.load_learner import load_learner
    from nfl_keras.training.reporting.description import describe
    from nfl_keras.training.run_folder import RunFolder

    if given.recipe is not None:
        import_recipe(given.recipe)
    folder = RunFolder(given.run)
    config = folder.config()
    if len(config.data.split_seeds) > 1:
        split = folder.split(config.data.split_seeds[0]).path
        raise UserError(f"{given.run!r} is a run over several splits; export one: {split}.")
    checkpoint = given.checkpoint or config.evaluation.final_checkpoint
    about = describe(folder, config, checkpoint)
    if given.weights_license:
        about["weights_license"] = given.weights_license
    model = load_learner(folder.checkpoint(checkpoint), config.recipe.learner)
    tf.get_logger().setLevel("WARNING")  # saving a model logs its temporary path
    version = export_model(
        model, given.to, given.version, given.name, max_pixels=given.max_pixels, about=about
    )
    card = json.loads((version / PATH).read_text(encoding="utf-8"))
    checked = card["checked"]
    print(
        f"largest difference from the Keras model on {checked['photographs']} photographs: "
        f"{checked['largest_difference']:.1e}"
    )
    if trained := card.get("trained_in"):
        print(
            f"largest difference from the model in {', '.join(trained['precision'])}: "
            f"{trained['largest_difference']:.1e}; the exported model computes in float32"
        )
    print(f"exported: {version}")
    _write_deployment(local_path(given.to))


def _write_deployment(directory: pathlib.Path) -> None:
    """Writes the files of a deployment, except those that exist and may have been edited."""
    from nfl_keras.export.deployment_files import deployment_files
    from nfl_keras.files import write_whole
    from nfl_keras.servable.version_folder import versions_in

    names = sorted(path.name for path in directory.iterdir() if versions_in(path))
    for file_name, text in deployment_files(names).items():
        path = directory / file_name
        if not path.exists():
            write_whole(path, text)
            print(f"written: {path}")
        elif path.read_text(encoding="utf-8") != text:
            print(f"kept as it was: {path}; remove it to have it written for these models")


if __name__ == "__main__":
    main()
