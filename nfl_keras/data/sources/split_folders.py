"""Defines which folders are called by splits, and hold class folders."""

import collections
import re
from collections.abc import Sequence

from nfl_keras.data.sources.split_meanings import split_meanings


def split_folders(photographs: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Returns the folders of a dataset that are its splits.

    Their names have one word of `split_meanings` each: `train/`, `Training_Set/`, `val2017/`.
    Beside other folders with photographs they are splits if they differ in that word alone
    (`seg_train/` and `seg_test/`). Folders whose photographs all lie directly in them are classes.

    Args:
        photographs: sequence of str, paths below the dataset's folder, with `/`.

    Returns:
        Dict from the name of each split's folder to `(meaning, depth)`: what `split_meanings` says,
        and the number of folders above its class folders. It is 1, or 2 where an archive was
        unpacked into a folder of its own name (`train/train/rose/1.jpg`). The dict is empty if
        the folders are no splits.

    Example:

    >>> from nfl_keras.data.sources.split_folders import split_folders
    >>> split_folders(["seg_test/rose/1.jpg", "seg_train/rose/2.jpg"])
    {'seg_test': ('test', 1), 'seg_train': ('train', 1)}
    >>> split_folders(["test/1.jpg", "train/2.jpg", "rose/3.jpg"])
    {}
    """
    below: dict[str, list[str]] = collections.defaultdict(list)
    for name in photographs:
        top, slash, rest = name.partition("/")
        if slash:
            below[top].append(rest)
    words, rests = {}, {}
    for top in below:
        all_words = re.findall(r"[^\W\d_]+", top.lower())
        known = [*split_meanings(all_words)]
        if len(known) == 1:
            (words[top],) = known
            rests[top] = tuple(word for word in all_words if word not in known)
    if len(words) < len(below) and words:
        ((alike, _),) = collections.Counter(rests.values()).most_common(1)
        words = {top: word for top, word in words.items() if rests[top] == alike}
    meanings = split_meanings(words.values())
    whole_names = len(words) == len(below) and not any(rests.values())
    in_classes = any("/" in name for top in words for name in below[top])
    if not in_classes or not (whole_names or len({meanings[w] for w in words.values()}) > 1):
        return {}
    return {
        top: (meanings[word], 2 if all(n.startswith(f"{top}/") for n in below[top]) else 1)
        for top, word in words.items()
    }
