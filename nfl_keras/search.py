"""`python -m nfl_keras.search QUERY... --gallery GALLERY`: finds the most similar photographs."""

import argparse
import functools
import pathlib
import webbrowser
from collections.abc import Sequence

from nfl_keras.errors import UserError, exit_on_user_error


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.search") -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Finds the photographs of a gallery that are most similar to each query, "
        "exactly. The gallery's own model embeds the queries.",
    )
    add = parser.add_argument
    add("queries", metavar="QUERY", nargs="*", help="a photograph")
    add("--gallery", metavar="GALLERY", required=True, help="the gallery, as index made it")
    add("-k", type=int, default=10, help="answers per query (default: %(default)s)")
    where = "a condition on the metadata, such as 'label = rose' or 'year >= 1990'; may be repeated"
    add("--where", metavar="CONDITION", action="append", help=where)
    add("--average", action="store_true", help="the queries show one thing: average them")
    more = "id of a photograph of the gallery: {} like it; may be repeated"
    add("--positive", metavar="ID", action="append", default=[], help=more.format("more"))
    add("--negative", metavar="ID", action="append", default=[], help=more.format("less"))
    threshold = "least cosine similarity of a match (default: the calibrated one)"
    add("--threshold", type=float, help=threshold)
    crop = "part of each query to search for, in pixels"
    add("--crop", metavar="X,Y,W,H", type=_crop, help=crop)
    rerank = "re-rank the answers, such as k-reciprocal:k1=20,k2=6 or alpha-expansion:n=2,alpha=1"
    add("--rerank", metavar="HOW", help=rerank)
    add("--model", metavar="MODEL", help="where the gallery's model is now, if it has moved")
    add("--json", action="store_true", help="print JSON")
    add("--html", metavar="FILE", help="write a page with the photographs")
    why = "show on the page of --html why the first 3 answers of each query are similar"
    add("--explain", action="store_true", help=why)
    add("--open", action="store_true", help="show the page of --html in the browser")
    add("--images", metavar="FOLDER", help="where the photographs are now, if they have moved")
    web = parser.add_argument_group("a page for the browser (pip install 'nfl_keras[web]')")
    web.add_argument("--web", action="store_true", help="serve a page to search on, until Ctrl-C")
    web.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    web.add_argument("--port", type=int, default=7860, help="default: %(default)s; 0: any free one")
    secret = "its first line is the page's password (default: the variable NFL_KERAS_PASSWORD)"
    web.add_argument("--password-file", metavar="FILE", help=secret)
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        if given.open and not given.html:
            raise UserError("--open shows a page; name its file by --html.")
        if given.explain and not (given.html and given.queries):
            raise UserError("--explain draws on a page; give photographs, and --html.")
        if given.explain and (given.average or given.positive or given.negative):
            raise UserError(
                "--explain compares two photographs; leave out --average, --positive and "
                "--negative, which search for a mixture of several."
            )
        (_serve if given.web else _search)(given)


def _search(given: argparse.Namespace) -> None:
    # Imported here, since `--help` does not need TensorFlow.
    from nfl_keras import retrieval
    from nfl_keras.gallery import Gallery

    gallery = Gallery.open(given.gallery, given.model, given.images)
    queries = given.queries or None
    if given.average and queries:
        queries = [queries]
    matches = gallery.search(
        queries,
        given.k,
        given.where,
        given.positive,
        given.negative,
        given.threshold,
        given.crop,
        given.rerank,
    )
    print(matches.to_json() if given.json else matches)
    if given.html:
        from nfl_keras.gallery.query_vectors import query_bytes
        from nfl_keras.gallery.search_page import write_search_page

        shown = [query_bytes(name, crop=given.crop)[1] for name in given.queries] or [b""]
        explain = None
        if given.explain:
            embeds = gallery.photograph_model()
            explain = functools.partial(retrieval.explain, embeds.model, crops=embeds.crops)
        size = len(gallery)
        page = write_search_page(given.html, matches, shown, gallery.read, size, explain)
        if not given.json:
            print(f"written: {page}")
        if given.open:
            webbrowser.open(pathlib.Path(page).absolute().as_uri())


def _serve(given: argparse.Namespace) -> None:
    from nfl_keras.web import PageServer, checked_password

    password = checked_password(given.host, given.password_file)
    from nfl_keras.gallery import Gallery

    gallery = Gallery.open(given.gallery, given.model, given.images)
    with PageServer(gallery, given.host, given.port, password, given.threshold) as server:
        print(f"search at {server.address}", flush=True)
        server.run()


def _crop(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in text.split(","))
    if len(numbers) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,W,H")
    return numbers


if __name__ == "__main__":
    main()
