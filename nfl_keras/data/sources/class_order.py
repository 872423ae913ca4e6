"""Defines the order of classes that have names and no official order."""

from collections.abc import Iterable


def class_order(names: Iterable[str]) -> list[str]:
    """Returns the names of classes without repetition, in the order of their labels.

    They are in the order of numbers if all of them are integers, otherwise in alphabetical order.

    Args:
        names: iterable of str.

    Returns:
        List of str.

    Example:

    >>> from nfl_keras.data.sources.class_order import class_order
    >>> class_order(["10", "9", "10"]), class_order(["10", "9", "rose"])
    (['9', '10'], ['10', '9', 'rose'])
    """
    unique = set(names)
    if all(name.removeprefix("-").isdecimal() for name in unique):
        return sorted(unique, key=lambda name: (int(name), name))
    return sorted(unique)
