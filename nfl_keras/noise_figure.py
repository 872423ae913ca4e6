"""Defines the command `python -m nfl_keras.noise_figure`, which draws a photograph under noise."""

import argparse
import os
from collections.abc import Sequence

import numpy as np

from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.errors import UserError, exit_on_user_error
from nfl_keras.files import local_path, write_whole

WINDOWS = (2, 4, 8, 16, 32)
LARGEST = 2048


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.noise_figure"
) -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to `None`: the arguments of the process.
        prog: str, the command's name for `--help`.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Draws a photograph as it is, with the pixels of windows shuffled, and under "
        "Gaussian noise, into one PNG.",
    )
    parser.add_argument(
        "photo",
        metavar="PHOTO",
        nargs="?",
        help="an image file, whose central square is drawn (default: one of the blooms)",
    )
    parser.add_argument(
        "--windows",
        metavar="SIDE",
        type=int,
        nargs="+",
        default=WINDOWS,
        help=f"sides of the windows in pixels (default: {' '.join(map(str, WINDOWS))})",
    )
    parser.add_argument(
        "--gaussian",
        metavar="STDDEV",
        type=float,
        nargs="+",
        default=(),
        help="standard deviations of Gaussian noise, for images in 0..1 (default: none)",
    )
    parser.add_argument(
        "--image-size",
        metavar="SIDE",
        type=int,
        default=224,
        help="side of the square in pixels (default: 224)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: 0)")
    parser.add_argument(
        "--output",
        metavar="FILE",
        default="windows.png",
        help="the .png to write, which must not exist yet (default: windows.png)",
    )
    given = parser.parse_args(arguments)
    from nfl_keras.report import noise_grid  # Imports TensorFlow, which `--help` does not need.

    with exit_on_user_error():
        _check_output(given.output)
        image = _square(_photograph(given.photo), given.image_size)
        _write_new(given.output, noise_grid(image, given.windows, given.gaussian, given.seed))
        print(given.output)


def _photograph(path: str | None) -> ImageSet:
    if path is None:
        return blooms(num_species=2, image_size=224).subset([0])
    folder, name = os.path.split(os.path.realpath(local_path(path)))
    return file_set(folder, [name], [0], ["photograph"])


def _square(image_set: ImageSet, size: int) -> np.ndarray:
    """Returns the central square of the only photograph of a set, as a model receives it."""
    from nfl_keras.data import bad_images, inference_batches
    from nfl_keras.data.decoding.reader import read_checked

    if not 1 <= size <= LARGEST:
        raise UserError(f"--image-size must be 1 to {LARGEST:,} pixels, not {size}.")
    read_checked(image_set, 0)
    for name, reason in bad_images(image_set).items():
        raise PhotographError(name, reason)
    [crops] = inference_batches(image_set, size, crops=1)
    return np.asarray(crops)[0, 0]


def _check_output(path: str) -> None:
    if not path.lower().endswith(".png"):
        raise UserError(f"--output must end in .png, not be {path!r}.")
    if os.path.exists(local_path(path)):
        raise UserError(f"there is a {path!r} already; remove it, or give another --output.")


def _write_new(path: str, content: bytes) -> None:
    try:
        write_whole(path, content, exist_ok=False)
    except OSError as error:
        raise UserError(
            f"cannot write {path!r} ({error.strerror}); give another --output."
        ) from error


if __name__ == "__main__":
    main()
