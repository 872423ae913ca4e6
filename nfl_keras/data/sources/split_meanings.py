"""Defines what the names mean by which datasets call their own splits."""

from collections.abc import Iterable

_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
    "gallery": ("gallery", "index", "database"),
    "query": ("query", "queries", "probe"),
}
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names}


def split_meanings(names: Iterable[str]) -> dict[str, str]:
    """Returns what a dataset's names of its splits mean, whatever their case.

    A validation split is the test if the dataset has no other one to test on. Test photographs are
    both queries and gallery. Beside a gallery without queries they are the queries, and beside
    queries without a gallery they are the gallery. A gallery or queries alone are the test.

    Args:
        names: iterable of str, the names of all splits of the dataset.

    Returns:
        Dict from each name that is known to one of `OWN_SPLITS` of `ImageSet`.

    Example:

    >>> from nfl_keras.data.sources.split_meanings import split_meanings
    >>> split_meanings(["Train", "val", "test"])
    {'Train': 'train', 'val': 'validation', 'test': 'test'}
    >>> split_meanings(["train", "query", "test"])
    {'train': 'train', 'query': 'query', 'test': 'gallery'}
    """
    meanings = {name: _MEANINGS[name.lower()] for name in names if name.lower() in _MEANINGS}
    present = set(meanings.values())
    tested = present & {"test", "gallery", "query"}
    becomes = {} if tested else {"validation": "test"}
    if tested == {"test", "query"}:
        becomes["test"] = "gallery"
    elif tested == {"test", "gallery"}:
        becomes["test"] = "query"
    elif len(tested) == 1:
        becomes |= {"gallery": "test", "query": "test"}
    return {name: becomes.get(meaning, meaning) for name, meaning in meanings.items()}
