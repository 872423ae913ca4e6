"""`python -m nfl_keras.inspect GALLERY`: finds the faults of a catalog of photographs."""

import argparse
import json
import pathlib
import webbrowser
from collections.abc import Sequence
from typing import Any

from nfl_keras.errors import UserError, exit_on_user_error


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.inspect") -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Finds photographs that a gallery has more than once, labels that disagree "
        "with all nearest photographs, and photographs that stand in two splits or galleries.",
    )
    add = parser.add_argument
    add("gallery", metavar="GALLERY", help="the gallery, as index made it")
    least = "least cosine similarity of near copies (default: %(default)s)"
    add("--threshold", type=float, default=0.95, help=least)
    k = "nearest photographs that must agree against a label (default: %(default)s)"
    add("-k", type=int, default=5, help=k)
    add("--split", metavar="COLUMN", help="column of the metadata that says the split")
    add("--other", metavar="GALLERY", help="another gallery of the same model")
    add("--json", action="store_true", help="print JSON")
    add("--html", metavar="FILE", help="write a page with the photographs")
    add("--open", action="store_true", help="show the page of --html in the browser")
    add("--images", metavar="FOLDER", help="where the photographs are now, if they have moved")
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        if given.open and not given.html:
            raise UserError("--open shows a page; name its file by --html.")
        _inspect(given)


def _inspect(given: argparse.Namespace) -> None:
    # Imported here, since `--help` does not need TensorFlow.
    from nfl_keras.gallery import Gallery
    from nfl_keras.gallery.faults.write_fault_page import write_fault_page

    gallery = Gallery.open(given.gallery, images=given.images)
    found: dict[str, Any] = {"duplicates": gallery.duplicates(given.threshold)}
    if given.split is not None:
        found["leaks between splits"] = gallery.leaks(given.split, given.threshold)
    if given.other is not None:
        found["leaks"] = gallery.leaks(Gallery.open(given.other), given.threshold)
    if gallery.items["label"].null_count < len(gallery):
        found["suspects"] = gallery.suspects(given.k)
    if given.json:
        print(json.dumps({name: json.loads(faults.to_json()) for name, faults in found.items()}))
    else:
        print("\n\n".join(f"{name}: {faults}" for name, faults in found.items()))
    if given.html:
        summary = f"{len(gallery):,} photographs of the gallery {given.gallery}."
        page = write_fault_page(given.html, *found.values(), summary=summary)
        if not given.json:
            print(f"\nwritten: {page}")
        if given.open:
            webbrowser.open(pathlib.Path(page).absolute().as_uri())


if __name__ == "__main__":
    main()
