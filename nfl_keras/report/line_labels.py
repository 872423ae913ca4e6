"""Labels at the ends of lines: short, and not on top of each other."""

from collections.abc import Sequence

_LONGEST = 20


def shorten_label(name: str) -> str:
    """Shortens a name to at most 20 printable characters, which are valid in XML."""
    name = "".join(letter if letter.isprintable() else " " for letter in name)
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def spread_labels(heights: Sequence[float], gap: float) -> list[float]:
    """Moves labels apart, each as little as possible.

    Labels that collide are pooled and centered on the mean of their heights (isotonic regression
    by pooling adjacent violators). All stay within 0..1 if there is room.

    Args:
        heights: sequence of float `[N]` in 0..1, the ends of the lines.
        gap: float. The least distance between two labels, in the unit of `heights`.

    Returns:
        list of float `[N]`, in the order of `heights`.
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    # Pairs of the mean of the heights, each less its label's offset, and the number of labels.
    pools: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        target, count = heights[i] - rank * gap, 1
        while pools and pools[-1][0] > target:
            other, members = pools.pop()
            target = (target * count + other * members) / (count + members)
            count += members
        pools.append((target, count))
    highest = max(1 - (len(heights) - 1) * gap, 0)
    settled = [min(max(target, 0), highest) for target, count in pools for _ in range(count)]
    placed = [0.0] * len(heights)
    for rank, i in enumerate(order):
        placed[i] = settled[rank] + rank * gap
    return placed
