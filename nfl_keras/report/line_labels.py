"""Names at the ends of lines: short enough, and not on top of each other."""

_LONGEST = 20


def shorten(name):
    """The name in at most 20 printable characters, which is also safe inside XML."""
    name = "".join(letter if letter.isprintable() else " " for letter in name)
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def spread(heights, gap):
    """Heights in 0..1 moved as little as is needed for neighbors to be `gap` apart.

    Names that collide are pooled and centerd on the mean of where they wanted to be
    (isotonic regression by pooling adjacent violators), and all stay within 0..1 if there
    is room.

    Args:
        heights: sequence of float `[N]`, where the names want to be.
        gap: float. The least distance, in the unit of `heights`.

    Returns:
        list of float `[N]`, in the order of `heights`.
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    pools = []  # (mean of the wished heights less each name's own offset, count)
    for rank, i in enumerate(order):
        wish, count = heights[i] - rank * gap, 1
        while pools and pools[-1][0] > wish:
            other, members = pools.pop()
            wish = (wish * count + other * members) / (count + members)
            count += members
        pools.append((wish, count))
    highest = max(1 - (len(heights) - 1) * gap, 0)
    settled = [min(max(wish, 0), highest) for wish, count in pools for _ in range(count)]
    placed = [0.0] * len(heights)
    for rank, i in enumerate(order):
        placed[i] = settled[rank] + rank * gap
    return placed
