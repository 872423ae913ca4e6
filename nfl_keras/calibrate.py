"""`python -m nfl_keras.calibrate GALLERY`: learns from which similarity on an answer is a match."""

import argparse
from collections.abc import Sequence

from nfl_keras.errors import exit_on_user_error


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.calibrate"
) -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Learns the similarity from which an answer is right at a chosen precision, "
        "and keeps it with the gallery, whose searches then say match or no match. Take classes "
        "that the model was not trained on.",
    )
    add = parser.add_argument
    add("gallery", metavar="GALLERY", help="the gallery, as index made it, with labels")
    labeled = "folder or table of labeled photographs to search for (default: the gallery's own)"
    add("labeled", metavar="LABELED", nargs="?", help=labeled)
    asked = "share of right answers among the matches (default: %(default)s)"
    add("--precision", type=float, default=0.95, help=asked)
    absent = "share of queries whose class is not in the gallery (default: %(default)s)"
    add("--absent", type=float, default=0.5, help=absent)
    sure = "with which the precision holds for other classes (default: %(default)s)"
    add("--confidence", type=float, default=0.95, help=sure)
    where = "a condition on the labeled photographs, such as 'label = rose'; may be repeated"
    add("--where", metavar="CONDITION", action="append", help=where)
    add("--model", metavar="MODEL", help="where the gallery's model is now, if it has moved")
    add("--json", action="store_true", help="print JSON")
    add("--html", metavar="FILE", help="write a page with the curve")
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        # Imported after `--help` and mistakes have been answered, since TensorFlow takes long.
        from nfl_keras.gallery import Gallery
        from nfl_keras.gallery.calibrating.write_calibration import write_calibration

        gallery = Gallery.open(given.gallery, given.model)
        learned = gallery.calibrate(
            given.labeled, given.precision, given.absent, given.confidence, given.where
        )
        print(learned.to_json() if given.json else learned)
        if given.html:
            page = write_calibration(given.html, learned, f"Calibration of {given.gallery}")
            if not given.json:
                print(f"written: {page}")


if __name__ == "__main__":
    main()
